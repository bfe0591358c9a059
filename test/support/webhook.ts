import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { CacheNamespace } from '../../src/cache/seal.ts'
import type { ConfigNamespace } from '../../src/documents/live-document.ts'
import { createClock, type FrozenClock } from './clock.ts'

export const CALLER_TOKEN = 'caller-credential-of-prod-1'
export const OTHER_CALLER_TOKEN = 'caller-credential-of-prod-2'
export const KEYSTONE_URL = 'http://127.0.0.1:5000/v3'
export const CACHE_KEY = btoa('k'.repeat(32))

export interface WebhookOptions {
  readonly keystone: (request: Request) => Promise<Response>
  readonly vars?: Readonly<Record<string, unknown>>
  readonly clock?: FrozenClock
  readonly cache?: CacheNamespace
  readonly config?: ConfigNamespace
  /** Documents to put before the start; `mapping` is `{}` unless given. `as they are`: none is put. */
  readonly documents?: Readonly<Record<string, unknown>> | 'as they are'
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly json: any
}

/** The whole Worker inside workerd, with real KV; only time, Keystone and the log are the test's. */
export interface Webhook {
  readonly clock: FrozenClock
  /** Every line that was logged, parsed. */
  readonly log: Record<string, unknown>[]
  readonly reviews: () => Record<string, unknown>[]
  /** Requests that Keystone received. */
  readonly keystoneRequests: Request[]
  send(path: string, init?: RequestInit): Promise<Answer>
  /** Posts a TokenReview as kube-apiserver does. */
  review(token: unknown, options?: { version?: 'v1' | 'v1beta1'; caller?: string; path?: string }): Promise<Answer>
  /** Waits for what the Worker goes on doing behind its answers (KV writes). */
  background(): Promise<void>
}

export async function createWebhook(options: WebhookOptions): Promise<Webhook> {
  const clock = options.clock ?? createClock()
  const log: Record<string, unknown>[] = []
  const keystoneRequests: Request[] = []
  const documents = options.documents === 'as they are' ? {} : { mapping: {}, ...options.documents }
  for (const [key, document] of Object.entries(documents)) await putDocument(key, document)
  const bindings = await toBindings(options)
  const app = createApp({
    clock,
    log: (line) => void log.push(JSON.parse(line)),
    fetch(url, init) {
      const request = new Request(url, init)
      keystoneRequests.push(request.clone())
      return options.keystone(request)
    },
  })
  const contexts: ExecutionContext[] = []

  async function send(path: string, init: RequestInit = {}): Promise<Answer> {
    const context = createExecutionContext()
    contexts.push(context)
    const response = await app.request(`https://webhook.test${path}`, init, bindings, context)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
    }
  }

  return {
    clock,
    log,
    reviews: () => log.filter((line) => line.event === 'review'),
    keystoneRequests,
    send,
    review(token, { version = 'v1', caller = CALLER_TOKEN, path = '/webhook' } = {}) {
      return send(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${caller}` },
        body: JSON.stringify(reviewBody(token, version)),
      })
    },
    async background() {
      await Promise.all(contexts.splice(0).map((context) => waitOnExecutionContext(context)))
    },
  }
}

/** What kube-apiserver 1.36 sends. */
export function reviewBody(token: unknown, version = 'v1') {
  return {
    kind: 'TokenReview',
    apiVersion: `authentication.k8s.io/${version}`,
    metadata: {},
    spec: { token, audiences: ['https://kubernetes.default.svc.cluster.local'] },
    status: { user: {} },
  }
}

/** Edits a document as `wrangler kv key put` does; text as it is, `undefined` deletes. */
export async function putDocument(key: string, document: unknown): Promise<void> {
  if (document === undefined) await env.CONFIG.delete(key)
  else await env.CONFIG.put(key, typeof document === 'string' ? document : JSON.stringify(document))
}

async function toBindings({ vars, cache, config }: WebhookOptions): Promise<Readonly<Record<string, unknown>>> {
  const callers = {
    'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`] },
    'prod-2': { credentials: [`sha256:${await sha256(OTHER_CALLER_TOKEN)}`] },
  }
  return {
    KEYSTONE_URL,
    CACHE_KEYS: JSON.stringify([CACHE_KEY]),
    CALLERS: JSON.stringify(callers),
    AUDIT_REPEATS_SECONDS: 0,
    CONFIG: config ?? env.CONFIG,
    CACHE: cache ?? env.CACHE,
    ...vars,
  }
}

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
