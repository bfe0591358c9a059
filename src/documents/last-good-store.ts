import * as v from 'valibot'
import type { Fingerprinter } from '../cache/fingerprint.ts'
import type { CacheNamespace } from '../cache/identity-store.ts'
import type { Sealer } from '../cache/seal.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** The newest version of a document that held, as it was written. */
export interface LastGood {
  readonly text: string
  readonly digest: string
  readonly savedAtMs: number
  /** Whether it is sealed under the newest cache key, and so outlives the end of a rotation. */
  readonly sealedByNewest: boolean
}

/** Where last good documents outlive isolates and deployments. */
export interface LastGoodStore {
  /** `undefined`: there has never been one. `unreadable`: it cannot be told now. `spoilt`: something else is in its place. */
  read(key: string): Promise<Result<LastGood | undefined, 'unreadable' | 'spoilt'>>
  write(key: string, document: Omit<LastGood, 'sealedByNewest'>): Promise<Result<undefined, 'failed'>>
}

const Stored = v.object({ text: v.string(), digest: v.string(), savedAtMs: v.number() })

/** The shortest that KV allows. */
const EDGE_CACHE_SECONDS = 30

/** Sealed in the namespace `CACHE`, each bound to its own key: one that was moved opens nowhere. */
export function createLastGoodStore(deps: {
  readonly namespace: CacheNamespace
  readonly sealer: Sealer
  readonly fingerprints: Fingerprinter
}): LastGoodStore {
  const contextOf = (key: string) => ({ purpose: 'document', binding: key }) as const
  const namesOf = async (key: string): Promise<string[]> =>
    (await deps.fingerprints('document', key)).map((fingerprint) => `document/${fingerprint}`)

  return {
    async read(key) {
      try {
        const names = await namesOf(key)
        const values = await deps.namespace.get(names, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
        for (const [keyIndex, name] of names.entries()) {
          const sealed = values.get(name)
          if (sealed === undefined || sealed === null) continue
          const opened = await deps.sealer.open(contextOf(key), keyIndex, sealed)
          const stored = v.safeParse(v.pipe(v.string(), v.parseJson(), Stored), opened)
          // There was one, and somebody has put something else in its place.
          return stored.success ? ok({ ...stored.output, sealedByNewest: keyIndex === 0 }) : err('spoilt')
        }
        return ok(undefined)
      } catch {
        return err('unreadable')
      }
    },
    async write(key, { text, digest, savedAtMs }) {
      try {
        const [name] = await namesOf(key)
        if (name === undefined) return err('failed')
        await deps.namespace.put(
          name,
          await deps.sealer.seal(contextOf(key), JSON.stringify({ text, digest, savedAtMs })),
        )
        return ok(undefined)
      } catch {
        return err('failed')
      }
    },
  }
}
