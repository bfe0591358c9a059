import { resolve } from 'node:path'
import { loadDevState } from '../../src/dev/dev-state.ts'
import { buildBundle } from '../../src/dev/local-worker.ts'
import { serveWebhook } from '../load/harness/bundled-webhook.ts'
import { serveKv } from '../load/harness/kv-server.ts'
import { createStage } from '../load/harness/stage.ts'

// The built bundle behind https on workerd itself, with the settings of `npm start` and what it prints and writes, but without
// the development server around it: for what is timed. It has no LOOKUPS, so nothing but the product keeps Keystone from being asked.

const { PORT, KEYSTONE_URL, DEV_STATE_DIR, IDENTITY_TTL_SECONDS, AUDIT_REPEATS_SECONDS } = process.env
if (PORT === undefined || KEYSTONE_URL === undefined || DEV_STATE_DIR === undefined) {
  throw new Error('set PORT, KEYSTONE_URL and DEV_STATE_DIR')
}

const url = `https://127.0.0.1:${PORT}/webhook`
const state = await loadDevState(DEV_STATE_DIR, url, Date.now())
const bundle = await buildBundle(resolve(import.meta.dirname, '../..'), resolve(DEV_STATE_DIR, 'bundle'))
const stage = createStage(new AbortController().signal, bundle)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stage.close())
await serveWebhook(stage, {
  name: 'webhook',
  keystoneUrl: KEYSTONE_URL,
  documents: await serveKv(stage, { mapping: '{}' }),
  cache: await serveKv(stage, {}),
  vars: {
    CALLERS: state.callers,
    CACHE_KEYS: state.cacheKeys,
    ...(IDENTITY_TTL_SECONDS && { IDENTITY_TTL_SECONDS }),
    ...(AUDIT_REPEATS_SECONDS && { AUDIT_REPEATS_SECONDS }),
  },
  socket: { port: Number(PORT), tls: state.tls },
  printsLog: true,
})
process.stdout.write(`ready: ${url}\n`)
