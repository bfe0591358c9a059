import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, resolve } from 'node:path'
import { CommandError, EXIT } from '../command-error.ts'
import { toLines } from '../to-lines.ts'

export interface WranglerOptions {
  /** Standard input of wrangler: how secrets get there. */
  readonly stdin?: string
  /** What wrangler is to do, for its errors. */
  readonly purpose?: string
  /** Lets Ctrl-C on the terminal pass wrangler by. */
  readonly uninterrupted?: boolean
}

/** Wrangler's standard output. A failure ends the command with what wrangler says, and with what to do. */
export function runWrangler(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  { stdin, purpose = 'KV cannot be reached', uninterrupted = false }: WranglerOptions = {},
): Promise<string> {
  const { command, env } = prepare(environment)
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, {
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env,
      shell: process.platform === 'win32',
      // A process group of its own does not get the terminal's Ctrl-C.
      detached: uninterrupted && process.platform !== 'win32',
    })
    // wrangler may end before it has read all.
    child.stdin?.on('error', () => undefined).end(stdin)
    const [out, errors]: [string[], string[]] = [[], []]
    child.stdout?.setEncoding('utf8').on('data', (text: string) => out.push(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))
    child.on('error', () => reject(notStarted()))
    child.on('close', (code) => {
      if (code === 0) fulfil(out.join(''))
      else reject(explain(`${errors.join('')}\n${out.join('')}`, purpose))
    })
  })
}

/** The lines of wrangler's standard output, as they come. A failure ends the command as that of `runWrangler` does. */
export async function* streamWrangler(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  purpose: string,
): AsyncIterable<string> {
  const { command, env } = prepare(environment)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, shell: process.platform === 'win32' })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-MAX_ERROR_CHARACTERS)
  })
  const ended = new Promise<number | null>((fulfil, reject) => {
    child.on('error', () => reject(notStarted())).on('close', fulfil)
  })
  ended.catch(() => undefined)
  yield* toLines(child.stdout)
  if ((await ended) !== 0) throw explain(errors, purpose)
}

const MAX_ERROR_CHARACTERS = 16 * 1024

function prepare(environment: Readonly<Record<string, string | undefined>>) {
  const command = findWrangler()
  // Beside wrangler npm puts the Node that the project brings along, and wrangler needs a newer one than this command.
  const path = [dirname(command), environment.PATH ?? ''].join(delimiter)
  return { command, env: { ...environment, PATH: path, NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' } }
}

function notStarted(): CommandError {
  return unreachable('wrangler cannot be started', 'run this in the directory of wrangler.toml, after npm ci')
}

/** The project's own wrangler, in this directory or one above; otherwise the one of the PATH. */
function findWrangler(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    const candidate = resolve(directory, 'node_modules/.bin/wrangler')
    if (existsSync(candidate)) return candidate
    if (directory === dirname(directory)) return 'wrangler'
  }
}

/** The line of wrangler's error, without its decoration. */
function explain(output: string, purpose: string): CommandError {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of terminals
  const plain = output.replace(/\u001b\[[\d;]*m/g, '')
  const line = /\[ERROR\]\s*(.+)/.exec(plain)?.[1] ?? plain.split('\n').find((one) => one.trim() !== '') ?? 'no message'
  const hint = /log(?:ged)? ?in|API_TOKEN|authentic|account/i.test(plain)
    ? 'log in with npx wrangler login, or set CLOUDFLARE_API_TOKEN'
    : 'run this in the directory of wrangler.toml'
  return unreachable(`${purpose}: wrangler says: ${line.trim().slice(0, 300)}`, hint)
}

function unreachable(message: string, hint: string): CommandError {
  return new CommandError(EXIT.unreachable, message, hint)
}
