import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'

/** Which KV: that of the account, or the one on this machine that `npm start` uses. */
export type Place = 'local' | 'remote'

/** The namespace `CONFIG`, through wrangler, with wrangler's configuration and log-in of the working directory. */
export interface ConfigStore {
  /** The value of a key, or `undefined`. */
  get(key: string): Promise<string | undefined>
  /** Puts all values with one call. */
  put(values: Readonly<Record<string, string>>): Promise<void>
}

export function createConfigStore(context: CommandContext, place: Place): ConfigStore {
  const flags = ['--binding', 'CONFIG', `--${place}`]
  return {
    async get(key) {
      const text = await runWrangler(context, ['kv', 'key', 'get', key, '--text', ...flags])
      // wrangler says so on standard output, with exit code 0; no document is this text. And it adds a line break.
      return text.trim() === 'Value not found' ? undefined : text.replace(/\n$/, '')
    },
    async put(values) {
      const directory = await mkdtemp(join(tmpdir(), 'keystone-edge-auth-'))
      try {
        const file = join(directory, 'values.json')
        const pairs = Object.entries(values).map(([key, value]) => ({ key, value }))
        await writeFile(file, JSON.stringify(pairs), { mode: 0o600 })
        await runWrangler(context, ['kv', 'bulk', 'put', file, ...flags])
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
  }
}

/** Wrangler's standard output. A failure ends the command with what wrangler says, and with what to do. */
function runWrangler(context: CommandContext, args: readonly string[]): Promise<string> {
  const command = findWrangler()
  // Beside wrangler npm puts the Node that the project brings along, and wrangler needs a newer one than this command.
  const path = [dirname(command), context.process.env?.PATH ?? ''].join(delimiter)
  const env = { ...context.process.env, PATH: path, NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' }
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, shell: process.platform === 'win32' })
    const [out, errors]: [string[], string[]] = [[], []]
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
    child.on('error', () =>
      reject(unreachable('wrangler cannot be started', 'run this in the directory of wrangler.toml, after npm ci')),
    )
    child.on('close', (code) => {
      if (code === 0) fulfil(out.join(''))
      else reject(explain(`${errors.join('')}\n${out.join('')}`))
    })
  })
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
function explain(output: string): CommandError {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of terminals
  const plain = output.replace(/\u001b\[[\d;]*m/g, '')
  const line = /\[ERROR\]\s*(.+)/.exec(plain)?.[1] ?? plain.split('\n').find((one) => one.trim() !== '') ?? 'no message'
  const hint = /log(?:ged)? ?in|API_TOKEN|authentic|account/i.test(plain)
    ? 'log in with npx wrangler login, or set CLOUDFLARE_API_TOKEN'
    : 'run this in the directory of wrangler.toml'
  return unreachable(`KV cannot be reached: wrangler says: ${line.trim().slice(0, 300)}`, hint)
}

function unreachable(message: string, hint: string): CommandError {
  return new CommandError(EXIT.unreachable, message, hint)
}
