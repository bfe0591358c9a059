import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bundleCommands } from '../../src/dev/bundle-commands.ts'

/** What a run of a command line came to. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Below the home directory. */
  readonly cwd?: string
  /** `own`: a parent process of its own, as each kubectl is; `shared`: this process, as a program that runs for long. */
  readonly parent?: 'own' | 'shared'
  /** Every write to a file fails. */
  readonly fullDisk?: boolean
}

/** A user of the machine with a home directory, who runs `client-keystone-auth` from its real bundle. */
export interface ClientStage {
  readonly home: string
  readonly cache: string
  run(options?: RunOptions): Promise<Run>
  /** Runs it and returns the token. @throws Error with what it said instead */
  token(options?: RunOptions): Promise<string>
  /** Writes a file below the home directory, by default readable by its owner only. */
  write(path: string, content: string, mode?: number): string
  close(): void
}

let bundled: Promise<string> | undefined

/** The bundle as `npm ci` makes it, of the sources as they are now. */
export function bundleOnce(): Promise<string> {
  bundled ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-cli-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    await bundleCommands(directory)
    return directory
  })()
  return bundled
}

/** `program`: what to run instead of the bundle, such as the single executable. */
export async function openClientStage(program?: readonly string[]): Promise<ClientStage> {
  const plugin = program ?? [process.execPath, join(await bundleOnce(), 'client-keystone-auth.cjs')]
  const home = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-home-'))
  const cache = join(home, '.cache/client-keystone-auth')
  const run = ({ args = [], env = {}, cwd = '', parent = 'own', fullDisk = false }: RunOptions = {}): Promise<Run> => {
    const command = [...plugin, ...args]
    // With the signal ignored, a write beyond the limit fails as one to a full disk does.
    const limit = fullDisk ? "trap '' XFSZ; ulimit -f 0; " : ''
    const [file, ...rest] = parent === 'own' ? ['/bin/sh', '-c', `${limit}"$@"; exit $?`, 'sh', ...command] : command
    const child = spawn(file ?? '', rest, {
      cwd: join(home, cwd),
      env: { PATH: process.env.PATH, HOME: home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      output.stderr += chunk
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, ...output }))
    })
  }
  return {
    home,
    cache,
    run,
    async token(options) {
      const { code, stdout, stderr } = await run(options)
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
      return JSON.parse(stdout).status.token
    },
    write(path, content, mode = 0o600) {
      const file = join(home, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content, { mode })
      return file
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  }
}

/** What stands between the client and Keystone. */
export interface FrontEnd {
  /** Without `/v3`. */
  readonly url: string
  /** `METHOD path` of every request, in order. */
  readonly requests: string[]
  /** Bodies of the requests, in order. */
  readonly bodies: string[]
  /** Answers the next requests instead of Keystone, until it is set to `undefined`. */
  answer: RequestListener | undefined
  close(): Promise<void>
}

/** A reverse proxy before a Keystone that keeps what it is asked. Over https where a certificate is given. */
export async function startFrontEnd(
  keystoneUrl: string,
  createHttpServer: (listener: RequestListener) => Server = createServer,
): Promise<FrontEnd> {
  const target = keystoneUrl.replace(/\/v3$/, '')
  const requests: string[] = []
  const bodies: string[] = []
  const front: { answer: RequestListener | undefined } = { answer: undefined }
  const server = createHttpServer(async (request, response) => {
    const body = await readBody(request)
    requests.push(`${request.method} ${request.url}`)
    bodies.push(body)
    if (front.answer !== undefined) return front.answer(request, response)
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers))
      if (typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name))
        headers.set(name, value)
    const method = request.method ?? 'GET'
    const answer = await fetch(target + request.url, { method, headers, ...(body !== '' && { body }) })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const scheme = createHttpServer === createServer ? 'http' : 'https'
  return Object.assign(front, {
    url: `${scheme}://127.0.0.1:${port}`,
    requests,
    bodies,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

/** Log-ins among requests: what costs Keystone a password check. */
export function logInsOf(requests: readonly string[]): number {
  return requests.filter((request) => request.startsWith('POST /v3/auth/tokens')).length
}
