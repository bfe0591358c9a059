import { chmod } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

/** The command lines of package.json's `bin`: a folder of `src/cli` with a `main.ts` each. */
export const COMMANDS = ['client-keystone-auth', 'keystone-edge-auth'] as const

const REQUIRE_NODE_20 =
  "if(+process.versions.node.split('.')[0]<20){process.stderr.write('needs Node 20 or later\\n');process.exit(1)}"

/**
 * Bundles each command line into one file without run-time dependencies: `<outdir>/<command>.cjs`. CommonJS, because
 * Node 20 starts it faster than ESM and a single executable takes nothing else; a module that is only reached by
 * `import()` is evaluated when it is first used.
 */
export async function bundleCommands(outdir: string): Promise<void> {
  const root = resolve(import.meta.dirname, '../..')
  await build({
    entryPoints: COMMANDS.map((command) => ({ in: join(root, 'src/cli', command, 'main.ts'), out: command })),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    banner: { js: `#!/usr/bin/env node\n${REQUIRE_NODE_20}` },
    // Node compiles the whole file at each start: a third less to read is some milliseconds less for each kubectl.
    minify: true,
    // A single executable with a code cache has no `import()`.
    supported: { 'dynamic-import': false },
    legalComments: 'eof',
    logLevel: 'warning',
  })
  await Promise.all(COMMANDS.map((command) => chmod(join(outdir, `${command}.cjs`), 0o755)))
}

if (import.meta.main) await bundleCommands(resolve(import.meta.dirname, '../../dist/cli'))
