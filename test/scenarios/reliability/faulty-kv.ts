import { env } from 'cloudflare:workers'
import type { CacheNamespace } from '../../../src/cache/seal.ts'
import type { ConfigNamespace } from '../../../src/documents/live-document.ts'
import { type FrozenClock, settle } from '../../support/clock.ts'
import { KV_FAULTS, type KvFault, type KvFaultName } from '../../support/faults.ts'

/** The real namespaces, behind faults that can be switched. What is removed goes on being served, as KV may for a while. */
export interface Kv {
  readonly cache: CacheNamespace
  readonly config: ConfigNamespace
  suffer(fault: KvFaultName): void
  /** Waits until nothing is on its way to the real KV, so that moving the clock overtakes none of it. */
  idle(): Promise<void>
}

export function createKv(clock: FrozenClock): Kv {
  let fault: KvFault = KV_FAULTS['is well']
  let underWay = 0
  const oldest = new Map<string, string>()

  async function count<T>(work: Promise<T>): Promise<T> {
    underWay += 1
    try {
      return await work
    } finally {
      underWay -= 1
    }
  }

  const read: CacheNamespace['get'] = (keys, options) => count(env.CACHE.get(keys, options))
  const cache = {
    get: (keys: string[], options: { type: 'text'; cacheTtl: number }) =>
      (fault.get?.({ clock, read, oldest }) ?? read)(keys, options),
    put(key: string, value: string, options?: KVNamespacePutOptions) {
      if (fault.put !== undefined) return fault.put()
      if (!oldest.has(key)) oldest.set(key, value)
      return count(env.CACHE.put(key, value, options))
    },
    delete: async () => undefined,
  } as CacheNamespace

  return {
    cache,
    config: { get: (...query: Parameters<KVNamespace['get']>) => count(env.CONFIG.get(...query)) } as ConfigNamespace,
    suffer(name) {
      fault = KV_FAULTS[name]
    },
    async idle() {
      do await settle()
      while (underWay > 0)
    },
  }
}
