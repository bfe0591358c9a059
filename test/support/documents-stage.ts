import { env } from 'cloudflare:workers'
import type { CacheNamespace } from '../../src/cache/seal.ts'
import type { ConfigNamespace } from '../../src/documents/live-document.ts'
import { createClock, type FrozenClock, START_MS, settle } from './clock.ts'
import { groupsBody, tokenBody } from './keystone-answers.ts'
import { fernetShaped } from './tokens.ts'
import { type Answer, createWebhook, type Webhook, type WebhookOptions } from './webhook.ts'

type Fault = 'none' | 'fails' | 'hangs'

/** CONFIG and CACHE of workerd as several isolates see them, with what production does and the simulation does not. */
export interface Stage {
  readonly clock: FrozenClock
  readonly config: ConfigNamespace & { fault: Fault; reads: string[] }
  /** Takes one write a second and key, as KV does. */
  readonly cache: CacheNamespace & { reading: Fault; writing: Fault; puts: Put[]; refused: number }
  /** A new isolate of the same deployment; puts no document. */
  isolate(options?: Partial<WebhookOptions>): Promise<Isolate>
}

interface Put {
  readonly name: string
  readonly value: string
}

export interface Isolate extends Webhook {
  /** A review of the one token that every isolate knows: its user's name and groups, `false`, or what went wrong. */
  look(options?: { caller?: string }): Promise<unknown>
  /** Half a minute later: a review whose refresh ends behind its answer. */
  refresh(): Promise<void>
  ready(caller: string): Promise<Answer>
}

/** A stage with both namespaces empty. */
export async function createStage(): Promise<Stage> {
  await Promise.all([empty(env.CONFIG), empty(env.CACHE)])
  const clock = createClock()
  const [config, cache] = [createConfig(), createCache(clock)]
  const token = fernetShaped()
  return {
    clock,
    config,
    cache,
    async isolate(options = {}) {
      const webhook = await createWebhook({ keystone, clock, config, cache, documents: 'as they are', ...options })
      return {
        ...webhook,
        async look(review = {}) {
          const { json } = await webhook.review(token, review)
          if (json.kind === 'Status') return json.message
          const { authenticated, error, user } = json.status
          return error ?? (authenticated ? [user.username, ...(user.groups ?? [])] : false)
        },
        async refresh() {
          clock.advance(30_000)
          await webhook.review(token)
          await webhook.background()
        },
        ready: (caller) => webhook.send('/readyz', { headers: { Authorization: `Bearer ${caller}` } }),
      }
    },
  }
}

/** A Keystone at which alice is logged in for an hour. */
export async function keystone(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname.endsWith('/groups')) return Response.json(groupsBody([]))
  if (pathname.endsWith('/auth/tokens')) return Response.json(tokenBody({ expiresAtMs: START_MS + 3_600_000 }))
  return Response.json({ version: { id: 'v3.14', status: 'stable' } })
}

/** Moves time on in small steps until the work has settled: its outcome, and how long it took. */
export async function timed<T>(clock: FrozenClock, work: Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedAtMs = clock.now()
  let done: { value: T } | undefined
  void work.then((value) => {
    done = { value }
  })
  while (done === undefined) {
    await settle()
    if (done === undefined) clock.advance(50)
    if (clock.now() - startedAtMs > 60_000) throw new Error('never settled')
  }
  return { ...done, tookMs: clock.now() - startedAtMs }
}

async function empty(namespace: KVNamespace): Promise<void> {
  const { keys } = await namespace.list()
  await Promise.all(keys.map(({ name }) => namespace.delete(name)))
}

async function suffer(fault: Fault): Promise<void> {
  if (fault === 'fails') throw new Error('KV failed: 503 Service Unavailable')
  if (fault === 'hangs') await new Promise(() => undefined)
}

function createConfig(): Stage['config'] {
  const config = {
    fault: 'none' as Fault,
    reads: [] as string[],
    async get(key: string, options: { type: 'text'; cacheTtl: number }) {
      if (options.cacheTtl < 30) throw new Error('KV: cacheTtl must be at least 30')
      config.reads.push(key)
      await suffer(config.fault)
      return env.CONFIG.get(key, options)
    },
  }
  return config as unknown as Stage['config']
}

function createCache(clock: FrozenClock): Stage['cache'] {
  const writtenAtMs = new Map<string, number>()
  const cache = {
    reading: 'none' as Fault,
    writing: 'none' as Fault,
    /** Those of documents; identities are not of interest here. */
    puts: [] as Put[],
    refused: 0,
    async get(keys: string[], options: { type: 'text'; cacheTtl: number }) {
      if (options.cacheTtl < 30) throw new Error('KV: cacheTtl must be at least 30')
      await suffer(cache.reading)
      return env.CACHE.get(keys, options)
    },
    async put(name: string, value: string, options?: KVNamespacePutOptions) {
      await suffer(cache.writing)
      if (clock.now() - (writtenAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < 1000) {
        cache.refused += 1
        throw new Error('KV PUT failed: 429 Too Many Requests')
      }
      writtenAtMs.set(name, clock.now())
      if (!name.startsWith('identity/')) cache.puts.push({ name, value })
      await env.CACHE.put(name, value, options)
    },
  }
  return cache as unknown as Stage['cache']
}
