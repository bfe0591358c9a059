import { writeSync } from 'node:fs'
import { encodeExecCredential, parseExecInfo } from '../../k8s/exec-credential.ts'
import { parseFlags } from '../shared/openstack/flags.ts'
import { SYSTEM_CLOCK } from '../shared/system-clock.ts'
import { isUsageError, UsageError } from '../shared/usage-error.ts'
import { cacheDirectoryOf } from './cache-directory.ts'
import { getCredential } from './get-credential.ts'
import { chosenCloud, gatherInputs } from './log-in-inputs.ts'

/** The flags beside the settings of OpenStack; the ignored ones are those of the Go program's logging. */
const FLAGS = {
  booleans: ['help', 'h', 'version', 'no-cache', 'force-refresh', 'allow-auth-url-override'],
  values: ['cloud', 'os-cloud'],
  ignored: ['v', 'vmodule', 'log-flush-frequency'],
}

/** Runs the command line; resolves to the exit code. Only a credential, or what was asked for, goes to standard output. */
async function main(argv: readonly string[]): Promise<number> {
  const { env, platform } = process
  const parsed = parseFlags(argv, FLAGS)
  if (parsed.booleans.has('help') || parsed.booleans.has('h')) return print((await import('./cold.ts')).renderHelp())
  if (parsed.booleans.has('version')) return print(`client-keystone-auth ${(await import('./cold.ts')).VERSION}\n`)
  const home = await homeOf(env, platform)
  const cachePath = cacheDirectoryOf(env, platform, home)
  const [command, ...rest] = parsed.positionals
  if (rest.length > 0 || (command !== undefined && command !== 'status' && command !== 'logout'))
    // The argument is not repeated: it could be the rest of a password with a space.
    throw new UsageError(
      'there is an argument that is no flag: the commands are status and logout; --help explains them',
    )
  if (command !== undefined) return runCommand(command, cachePath, chosenCloud(parsed, env))
  const info = parseExecInfo(env.KUBERNETES_EXEC_INFO)
  if (!info.ok) throw new UsageError(info.error)
  if (parsed.secrets.length > 0)
    tell(
      `every user of this machine can read ${parsed.secrets.map((flag) => `--${flag}`).join(', ')}: use a variable or clouds.yaml`,
    )
  const credential = await getCredential(gatherInputs(parsed, { env, platform, home, cwd: process.cwd() }), {
    clock: SYSTEM_CLOCK,
    cachePath: parsed.booleans.has('no-cache') ? undefined : cachePath,
    forceRefresh: parsed.booleans.has('force-refresh'),
    parentId: process.ppid,
    canAsk: () => (info.value.interactive ?? true) && process.stdin.isTTY,
    tell,
  })
  return print(encodeExecCredential(info.value.version, credential.token, credential.expiresAtMs))
}

async function runCommand(command: 'status' | 'logout', cachePath: string, cloud: string | undefined): Promise<number> {
  const { logOut, printStatus } = await import('./cold.ts')
  const output = { clock: SYSTEM_CLOCK, print, tell }
  if (command === 'logout') return (await logOut(cachePath, cloud, output)) ? 0 : 1
  printStatus(cachePath, cloud, output)
  return 0
}

/** As os.homedir(), which costs a millisecond to load. */
async function homeOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Promise<string> {
  return (platform === 'win32' ? env.USERPROFILE : env.HOME) || (await import('node:os')).homedir()
}

/** Writes at once: `process.stdout` costs some milliseconds to make, and a credential fits into every pipe. */
function print(text: string): number {
  const bytes = Buffer.from(text)
  let written = 0
  try {
    written = writeSync(1, bytes)
  } catch {
    // A pipe that does not block and is full, or one that nobody reads.
  }
  if (written < bytes.length) process.stdout.on('error', () => undefined).write(bytes.subarray(written))
  return 0
}

function tell(message: string): void {
  process.stderr.write(`client-keystone-auth: ${message}\n`)
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    // Not the error itself where it is unexpected: its text could hold anything.
    if (isUsageError(error)) tell(error.message)
    else tell(`failed unexpectedly (${error instanceof Error ? error.name : typeof error}): please report it`)
    process.exitCode = 1
  },
)
