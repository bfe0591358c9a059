import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startLocalWorker } from '../../../src/dev/local-worker.ts'

/** The deployed bundle in a real workerd, on a real port. */
export interface LocalWebhook {
  readonly url: string
  readonly callerToken: string
  readonly cacheKey: string
  /** Where KV is on disk. */
  readonly kvDirectory: string
  /** Every line that the Worker logged. */
  readonly log: string[]
  review(
    token: string,
    options?: { signal?: AbortSignal; version?: string },
  ): Promise<{ status: number; text: string; json: Review }>
  /** Edits a document as `wrangler kv key put` does; in force for what was not loaded yet. */
  putDocument(key: string, text: string): Promise<void>
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

/** The part of a TokenReview's answer that tests look at. */
interface Review {
  readonly apiVersion: string
  readonly status: {
    authenticated: boolean
    error?: string
    user?: { username: string; uid: string; groups: string[] }
  }
}

export async function startLocalWebhook(keystoneUrl: string, vars: Record<string, string> = {}): Promise<LocalWebhook> {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-system-'))
  const callerToken = randomBytes(32).toString('base64url')
  const cacheKey = randomBytes(32).toString('base64')
  const digest = createHash('sha256').update(callerToken).digest('hex')
  const log: string[] = []
  const kvDirectory = join(directory, 'kv')
  const worker = await startLocalWorker({
    root: resolve(import.meta.dirname, '../../..'),
    port: 0,
    kvDirectory,
    bundleDirectory: join(directory, 'bundle'),
    onLog: (line) => log.push(line),
    bindings: {
      KEYSTONE_URL: keystoneUrl,
      CACHE_KEYS: JSON.stringify([cacheKey]),
      CALLERS: JSON.stringify({ test: { credentials: [`sha256:${digest}`] } }),
      AUDIT_REPEATS_SECONDS: '0',
      ...vars,
    },
  })
  const putDocument = async (key: string, text: string): Promise<void> => (await worker.kv('CONFIG')).put(key, text)
  await putDocument('mapping', '{}')
  const url = worker.url.origin
  const post = (path: string, body: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(url + path, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${callerToken}`, ...headers },
      ...(signal && { signal }),
    })
  return {
    url,
    callerToken,
    cacheKey,
    kvDirectory,
    log,
    putDocument,
    post,
    async review(token, { signal, version = 'v1' } = {}) {
      const body = { apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview', spec: { token } }
      const response = await post('/webhook', JSON.stringify(body), {}, signal)
      const text = await response.text()
      return { status: response.status, text, json: JSON.parse(text) }
    },
    async close() {
      await worker.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
