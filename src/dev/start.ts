import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { serveBasic } from './basic-service.ts'
import { loadDevState } from './dev-state.ts'
import { seedDemo } from './embedded-keystone/seed.ts'
import { serveEmbeddedKeystone } from './embedded-keystone/serve.ts'
import { instructions } from './instructions.ts'
import { startLocalWorker } from './local-worker.ts'

// `npm start`: the webhook in workerd over https, with KV and (unless KEYSTONE_URL names one) a Keystone of its own.

const VARS = [
  'IDENTITY_TTL_SECONDS',
  'REJECTION_TTL_SECONDS',
  'STALE_IF_ERROR_SECONDS',
  'KEYSTONE_TIMEOUT_MS',
  'KEYSTONE_MAX_CONCURRENT',
  'KEYSTONE_ALLOW_HTTP',
  'HOME_DOMAIN',
  'AUDIT_REPEATS_SECONDS',
  'BASIC_AUTH_URL',
]

const closers: (() => Promise<void>)[] = []
let ending = false

async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const root = resolve(import.meta.dirname, '../..')
  const port = readPort(env, 'PORT', 8443)
  const keystonePort = readPort(env, 'KEYSTONE_PORT', 5000)
  await assertFree(port, 'PORT')
  const webhookUrl = `https://127.0.0.1:${port}/webhook`
  // DEV_STATE_DIR keeps the end-to-end tests away from the state and the documents of whoever runs them.
  const stateDirectory = resolve(env.DEV_STATE_DIR ?? join(root, '.dev'))
  const state = await loadDevState(stateDirectory, webhookUrl, Date.now())
  say(`secrets and certificate: ${state.directory}`)
  const keystoneUrl = env.KEYSTONE_URL?.replace(/\/+$/, '') ?? (await startKeystone(keystonePort))
  const basicAuthUrl = env.BASIC_AUTH_URL ?? (await startBasicService())
  say('building the Worker and starting workerd …')
  const worker = await startLocalWorker({
    root,
    port,
    tls: state.tls,
    kvDirectory: env.DEV_STATE_DIR ? join(stateDirectory, 'kv/v3') : join(root, '.wrangler/state/v3'),
    bundleDirectory: join(stateDirectory, 'bundle'),
    bindings: {
      ...pick(env, VARS),
      KEYSTONE_URL: keystoneUrl,
      BASIC_AUTH_URL: basicAuthUrl,
      CALLERS: state.callers,
      CACHE_KEYS: state.cacheKeys,
    },
    onLog: (line) => process.stdout.write(`${line}\n`),
  })
  closers.push(worker.close)
  endOnSignals()
  await putDefaultMapping(await worker.kv('CONFIG'))
  const faults = await worker.faultySettings()
  for (const { path, message } of faults) say(`not ready: ${path}: ${message}`)
  if (faults.length > 0) {
    say(
      'correct these variables of the environment and start again; until then every review is "cannot tell". Ctrl-C ends it.',
    )
    return
  }
  say(`ready: ${webhookUrl} (cluster dev), asking ${keystoneUrl}`)
  const embedded = env.KEYSTONE_URL === undefined
  const embeddedBasic = env.BASIC_AUTH_URL === undefined
  const isInside = stateDirectory.startsWith(`${root}/`)
  const shown = isInside ? relative(root, stateDirectory) : stateDirectory
  process.stdout.write(
    instructions({
      webhookUrl,
      readyUrl: `https://127.0.0.1:${port}/readyz`,
      keystoneUrl,
      embedded,
      embeddedBasic,
      state: shown,
    }),
  )
}

async function startKeystone(port: number): Promise<string> {
  await assertFree(port, 'KEYSTONE_PORT')
  const keystone = await serveEmbeddedKeystone({ port, provider: 'fernet' })
  closers.push(keystone.close)
  await seedDemo({ url: keystone.url, adminPassword: 'secret', fetch })
  say(`embedded Keystone: ${keystone.url} (admin/secret, alice/alice, bob/bob in Default; alice/alice in other)`)
  return keystone.url
}

async function startBasicService(): Promise<string> {
  const service = await serveBasic('user1', 'pass1')
  closers.push(service.close)
  say(`HTTP Basic service: ${service.url} (user1/pass1)`)
  return service.url
}

async function putDefaultMapping(config: {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
}) {
  if ((await config.get('mapping')) === null) await config.put('mapping', '{}')
}

function readPort(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name] ?? String(fallback)
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
  throw new StartError(`${name}=${text} is not a port; use a number from 1 to 65535`)
}

async function assertFree(port: number, name: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`
      fail(
        new StartError(`port ${port} on 127.0.0.1 ${why}; choose another, for example: ${name}=${port + 1} npm start`),
      )
    })
    probe.listen(port, '127.0.0.1', () => probe.close(() => done()))
  })
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

function say(text: string): void {
  process.stdout.write(`npm start: ${text}\n`)
}

/** Something that whoever starts this can put right. */
class StartError extends Error {}

async function end(exitCode: number): Promise<void> {
  if (ending) return
  ending = true
  await Promise.allSettled(closers.map((close) => close()))
  process.exit(exitCode)
}

/** Ctrl-C is how this ends, so it is a success. Miniflare's own handlers would exit at once, with a failure. */
function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.removeAllListeners(signal)
    process.on(signal, () => void end(0))
  }
}

endOnSignals()
start(process.env).catch((error: unknown) => {
  process.stderr.write(
    `npm start: ${error instanceof StartError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  )
  void end(1)
})
