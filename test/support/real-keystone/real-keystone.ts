import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setUp } from './configuration.ts'
import { INSTALL_COMMAND, isInstalled, KEYSTONE_WSGI, UWSGI } from './installation.ts'

/** Which Keystone to start. */
interface RealKeystoneOptions {
  provider: 'fernet' | 'jws'
  /** On loopback; 0 takes a free one. */
  port: number
  /** Of bcrypt; as few as possible by default. Keystone's own default is 12. */
  passwordHashRounds?: number
}

/** A real Keystone that answers. */
export interface RealKeystone {
  /** Identity API root. */
  url: string
  adminPassword: string
  provider: 'fernet' | 'jws'
  /** Holds its configuration, keys and database. */
  directory: string
  /** Ends it and removes the directory. */
  close(): Promise<void>
}

const START_TIMEOUT_MS = 60_000

/**
 * Starts Debian's Keystone with everything of its own: directory, configuration, SQLite database, keys, port.
 * @throws Error when it is not installed or does not come up, with the end of its log
 */
export async function startRealKeystone({
  provider,
  port,
  passwordHashRounds = 4,
}: RealKeystoneOptions): Promise<RealKeystone> {
  if (!isInstalled()) throw new Error(`Keystone is not installed. As root, run: ${INSTALL_COMMAND}`)
  const directory = await mkdtemp(join(tmpdir(), 'keystone-'))
  const listenPort = port === 0 ? await freePort() : port
  const url = `http://127.0.0.1:${listenPort}/v3`
  const adminPassword = randomUUID()
  let server: ChildProcess | undefined
  const close = async () => {
    if (server !== undefined) await end(server)
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await setUp({ directory, provider, url, adminPassword, passwordHashRounds })
    server = await startServer(directory, listenPort)
    await untilItAnswers(server, url, join(directory, 'uwsgi.log'))
  } catch (error) {
    await close()
    throw error
  }
  return { url, adminPassword, provider, directory, close }
}

async function startServer(directory: string, port: number): Promise<ChildProcess> {
  const log = await open(join(directory, 'uwsgi.log'), 'w')
  const uwsgi = [UWSGI, '--http-socket', `127.0.0.1:${port}`, '--plugin', 'python3', '--wsgi-file', KEYSTONE_WSGI]
  // One worker, so that whatever a request leaves behind in it is seen, or swept away, by the very next one: see
  // test/node/contract/validation.ts.
  const behaviour = ['--master', '--processes', '1', '--lazy-apps', '--die-on-term', '--need-app', '--no-orphans']
  // It closes after each answer without saying so, and clients would send the next request into the closed connection.
  const header = ['--add-header', 'Connection: close']
  // The kernel ends it with this process, even one that is killed and can do nothing more.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...uwsgi, ...behaviour, ...header], {
    cwd: directory,
    env: { ...process.env, OS_KEYSTONE_CONFIG_DIR: directory, OS_KEYSTONE_CONFIG_FILES: 'keystone.conf' },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  return child
}

async function untilItAnswers(server: ChildProcess, url: string, logFile: string): Promise<void> {
  let gone = false
  server.once('exit', () => {
    gone = true
  })
  server.once('error', () => {
    gone = true
  })
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && !gone; ) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await delay(100)
  }
  const log = await readFile(logFile, 'utf8')
  throw new Error(`Keystone ${gone ? 'ended' : 'does not answer'}:\n${log.slice(-4000)}`)
}

async function end(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
  const exited = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGTERM')
  const timer = setTimeout(() => server.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const probe = createServer()
  probe.once('error', reject)
  probe.listen(0, '127.0.0.1', () => {
    const address = probe.address()
    const port = address === null || typeof address === 'string' ? 0 : address.port
    probe.close(() => resolve(port))
  })
  return promise
}
