import { chmod } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

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
    ...OPTIONS,
    entryPoints: COMMANDS.map((command) => ({ in: join(root, 'src/cli', command, 'main.ts'), out: command })),
    outdir,
    outExtension: { '.js': '.cjs' },
    banner: { js: `#!/usr/bin/env node\n${REQUIRE_NODE_20}` },
    plugins: [compileLater],
  })
  await Promise.all(COMMANDS.map((command) => chmod(join(outdir, `${command}.cjs`), 0o755)))
}

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // Node reads the whole file at each start.
  minify: true,
  // A single executable with a code cache has no `import()`.
  supported: { 'dynamic-import': false },
  legalComments: 'eof',
  logLevel: 'warning',
} as const satisfies BuildOptions

const RESOLVING = 'resolving'

/**
 * Keeps a `cold.ts`, with all that it imports, and the package yaml as texts in the bundle. Node compiles what it starts, 10 ms for 200 kB,
 * whether it is used or not; a text it only skips.
 */
const compileLater: Plugin = {
  name: 'compile-later',
  setup({ onResolve, onLoad, resolve: resolvePackage }) {
    onResolve({ filter: /\/cold\.ts$/ }, ({ path, resolveDir, kind }) =>
      kind === 'dynamic-import' ? { path: resolve(resolveDir, path), namespace: 'cold' } : undefined,
    )
    // Large, and needed for YAML only.
    onResolve({ filter: /^yaml$/ }, async ({ path, resolveDir, namespace, pluginData }) => {
      if (pluginData === RESOLVING || namespace === 'cold') return undefined
      const found = await resolvePackage(path, { resolveDir, kind: 'import-statement', pluginData: RESOLVING })
      return { path: found.path, namespace: 'cold' }
    })
    onLoad({ filter: /.*/, namespace: 'cold' }, async ({ path }) => {
      const { outputFiles } = await build({ ...OPTIONS, entryPoints: [path], write: false, plugins: [compileLater] })
      const text = outputFiles[0]?.text ?? ''
      const contents = `require('node:vm').compileFunction(${JSON.stringify(text)}, ['require', 'module', 'exports'])(require, module, exports)`
      return { contents, loader: 'js', resolveDir: dirname(path) }
    })
  },
}

if (import.meta.main) await bundleCommands(resolve(import.meta.dirname, '../../dist/cli'))
