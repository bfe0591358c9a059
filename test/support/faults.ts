import { env } from 'cloudflare:workers'
import type { CacheNamespace } from '../../src/cache/seal.ts'
import { type FrozenClock, START_MS } from './clock.ts'
import { errorBody, groupsBody, tokenBody } from './keystone-answers.ts'

/** How Keystone meets a request. */
type KeystoneFault = (request: Request, clock: FrozenClock) => Promise<Response>

/** A Keystone at which alice is logged in for an hour. */
export async function healthyKeystone(request: Request): Promise<Response> {
  return Response.json(
    request.url.endsWith('/groups') ? groupsBody([]) : tokenBody({ expiresAtMs: START_MS + 3_600_000 }),
  )
}

/** All that a Keystone, or what stands before it, may do to a request. */
export const KEYSTONE_FAULTS = {
  'is well': healthyKeystone,
  'refuses the connection': () => Promise.reject(new TypeError('connection refused')),
  'resets the connection': () => Promise.reject(new Error('Network connection lost.')),
  'resets inside the answer': async () => new Response(lostAfter('{"token": {')),
  hangs: () => new Promise(() => undefined),
  'hangs inside the answer': async () => new Response(endless()),
  'is slow, 4 s': async (request, clock) => {
    if (!request.url.endsWith('/groups')) await new Promise<void>((done) => void clock.startTimer(4000, done))
    return healthyKeystone(request)
  },
  'answers 401, its own': async () => Response.json(errorBody(401, 'x'), { status: 401 }),
  'answers 404, its own': async () => Response.json(errorBody(404, 'x'), { status: 404 }),
  'answers 401, a page': async () => page(401),
  'answers 404, a page': async () => page(404),
  'answers 403': async () => Response.json(errorBody(403, 'x'), { status: 403 }),
  'answers 429': async () => Response.json(errorBody(429, 'x'), { status: 429, headers: { 'Retry-After': '5' } }),
  'answers 500': async () => Response.json(errorBody(500, 'x'), { status: 500 }),
  'answers 502': async () => page(502),
  'answers 503': async () => new Response('busy', { status: 503, headers: { 'Retry-After': '120' } }),
  'answers 504': async () => page(504),
  'answers 501': async () => page(501),
  'answers 505': async () => page(505),
  'answers a redirect': async () =>
    new Response(null, { status: 302, headers: { Location: 'https://elsewhere.test/' } }),
  'answers a page': async () => page(200),
  'answers truncated JSON': async () => new Response('{"token": {"user"'),
  'answers 5 MiB': async () => new Response('x'.repeat(5 * 1024 * 1024)),
} as const satisfies Readonly<Record<string, KeystoneFault>>

export type KeystoneFaultName = keyof typeof KEYSTONE_FAULTS

function page(status: number): Response {
  return new Response('<html>hello</html>', { status, headers: { 'Content-Type': 'text/html' } })
}

function endless(): ReadableStream {
  return new ReadableStream({ pull: () => new Promise(() => undefined) })
}

function lostAfter(text: string): ReadableStream {
  let isSent = false
  return new ReadableStream({
    pull(controller) {
      if (isSent) controller.error(new Error('Network connection lost.'))
      else controller.enqueue(new TextEncoder().encode(text))
      isSent = true
    },
  })
}

type Get = CacheNamespace['get']
type Put = CacheNamespace['put']

/** The real values, and what a fault may make of them. */
interface KvValues {
  readonly clock: FrozenClock
  readonly read: Get
  /** The first value that each key ever had. */
  readonly oldest: ReadonlyMap<string, string>
}

/** What fails of a namespace; the rest works. */
export interface KvFault {
  readonly get?: (values: KvValues) => Get
  readonly put?: () => Promise<void>
}

const hang = (): Promise<never> => new Promise(() => undefined)

/** What production refuses, delays and confuses, and local KV does not. */
export const KV_FAULTS = {
  'is well': {},
  'read fails': { get: () => () => Promise.reject(new Error('KV GET failed: 500')) },
  'read throws at once': {
    get: () => () => {
      throw new TypeError('KV GET failed')
    },
  },
  'is slow, 0.4 s': {
    get:
      ({ clock, read }) =>
      async (keys, options) => {
        await new Promise<void>((done) => void clock.startTimer(400, done))
        return read(keys, options)
      },
  },
  'read hangs': { get: () => hang },
  'write fails': { put: () => Promise.reject(new Error('KV PUT failed: 429 Too Many Requests')) },
  'write hangs': { put: hang },
  'read and write fail': {
    get: () => () => Promise.reject(new Error('KV GET failed: 503')),
    put: () => Promise.reject(new Error('KV PUT failed: 503')),
  },
  'serves old': {
    get:
      ({ oldest }) =>
      async (keys) =>
        new Map(keys.map((key) => [key, oldest.get(key) ?? null])),
  },
  'serves garbage': { get: () => async (keys) => new Map(keys.map((key) => [key, 'eyJhbGciOiJub25lIn0.e30.'])) },
  'serves a cached absence': { get: () => async (keys) => new Map(keys.map((key) => [key, null])) },
} as const satisfies Readonly<Record<string, KvFault>>

export type KvFaultName = keyof typeof KV_FAULTS

/** The real namespace with a fault in front. */
export function faulty({ get, put }: { get?: Get; put?: Put }): CacheNamespace {
  return {
    delete: (key: string) => env.CACHE.delete(key),
    get: get ?? ((keys, options) => env.CACHE.get(keys, options)),
    put: put ?? ((key: string, value: string, options?: KVNamespacePutOptions) => env.CACHE.put(key, value, options)),
  } as CacheNamespace
}
