import { env } from 'cloudflare:workers'
import type { CacheNamespace } from '../../src/cache/kv.ts'
import { errorBody } from './keystone-answers.ts'

/** Ways in which Keystone fails to give a verdict, and what the audit line calls each. */
export const KEYSTONE_FAULTS: Readonly<Record<string, { respond: () => Promise<Response>; reason: string }>> = {
  'refused connection': {
    respond: () => Promise.reject(new TypeError('connection refused')),
    reason: 'keystone_network',
  },
  'connection reset': {
    respond: () => Promise.reject(new Error('Network connection lost.')),
    reason: 'keystone_network',
  },
  hang: { respond: () => new Promise(() => undefined), reason: 'keystone_timeout' },
  'hang inside the body': { respond: async () => new Response(endless()), reason: 'keystone_timeout' },
  '403': { respond: async () => Response.json(errorBody(403, 'x'), { status: 403 }), reason: 'keystone_status' },
  '429': {
    respond: async () => Response.json(errorBody(429, 'x'), { status: 429, headers: { 'Retry-After': '5' } }),
    reason: 'keystone_status',
  },
  '500': { respond: async () => Response.json(errorBody(500, 'x'), { status: 500 }), reason: 'keystone_status' },
  '503': { respond: async () => new Response('busy', { status: 503 }), reason: 'keystone_status' },
  redirect: {
    respond: async () => new Response(null, { status: 302, headers: { Location: 'https://elsewhere.test/' } }),
    reason: 'keystone_redirect',
  },
  'a page, 200': { respond: async () => new Response('<html>hello</html>'), reason: 'keystone_malformed' },
  'a page, 404': {
    respond: async () => new Response('<html>not here</html>', { status: 404 }),
    reason: 'keystone_malformed',
  },
  'truncated JSON': { respond: async () => new Response('{"token": {"user"'), reason: 'keystone_malformed' },
  'huge answer': { respond: async () => new Response('x'.repeat(5 * 1024 * 1024)), reason: 'keystone_too_large' },
}

function endless(): ReadableStream {
  return new ReadableStream({ pull: () => new Promise(() => undefined) })
}

type Get = CacheNamespace['get']
type Put = CacheNamespace['put']

/** The real namespace with a fault in front: what production refuses and local KV does not. */
export const KV_FAULTS: Readonly<Record<string, CacheNamespace>> = {
  'reads fail': faulty({ get: () => Promise.reject(new Error('KV GET failed: 500')) }),
  'reads throw at once': faulty({
    get() {
      throw new TypeError('KV GET failed')
    },
  }),
  'reads hang': faulty({ get: () => new Promise(() => undefined) }),
  'writes fail': faulty({ put: () => Promise.reject(new Error('KV PUT failed: 429 Too Many Requests')) }),
  'writes hang': faulty({ put: () => new Promise(() => undefined) }),
  'reads and writes fail': faulty({
    get: () => Promise.reject(new Error('KV GET failed: 503')),
    put: () => Promise.reject(new Error('KV PUT failed: 503')),
  }),
  'serves garbage': faulty({ get: async (keys) => new Map(keys.map((key) => [key, 'eyJhbGciOiJub25lIn0.e30.'])) }),
  'serves absence that it cached': faulty({ get: async (keys) => new Map(keys.map((key) => [key, null])) }),
}

export function faulty({ get, put }: { get?: Get; put?: Put }): CacheNamespace {
  return {
    delete: (key: string) => env.CACHE.delete(key),
    get: get ?? ((keys, options) => env.CACHE.get(keys, options)),
    put: put ?? ((key: string, value: string, options?: KVNamespacePutOptions) => env.CACHE.put(key, value, options)),
  } as CacheNamespace
}
