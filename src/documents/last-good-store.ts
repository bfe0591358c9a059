import * as v from 'valibot'
import type { Fingerprinter } from '../cache/fingerprint.ts'
import type { CacheNamespace } from '../cache/identity-store.ts'
import type { Sealer } from '../cache/seal.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** The newest version of a document that was valid, as it was written. */
export interface LastGood {
  readonly text: string
  /** SHA-256 of the text, as hex. */
  readonly digest: string
  readonly savedAtMs: number
}

/** Where last good documents outlive isolates and deployments. */
export interface LastGoodStore {
  /** `undefined`: there was never one. `unreadable`: CACHE cannot be read now. `spoilt`: something else stands there. Never rejects. */
  read(key: string): Promise<Result<LastGood | undefined, 'unreadable' | 'spoilt'>>
  /** Never rejects. */
  write(key: string, document: LastGood): Promise<Result<undefined, 'failed'>>
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

  async function write(key: string, { text, digest, savedAtMs }: LastGood): Promise<Result<undefined, 'failed'>> {
    try {
      const [name] = await namesOf(key)
      if (name === undefined) return err('failed')
      const sealed = await deps.sealer.seal(contextOf(key), JSON.stringify({ text, digest, savedAtMs }))
      await deps.namespace.put(name, sealed)
      return ok(undefined)
    } catch {
      return err('failed')
    }
  }

  return {
    write,
    async read(key) {
      try {
        const names = await namesOf(key)
        const values = await deps.namespace.get(names, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
        for (const [keyIndex, name] of names.entries()) {
          const sealed = values.get(name)
          if (sealed === undefined || sealed === null) continue
          const opened = await deps.sealer.open(contextOf(key), keyIndex, sealed)
          const stored = v.safeParse(v.pipe(v.string(), v.parseJson(), Stored), opened)
          if (!stored.success) return err('spoilt')
          // Sealed under an older cache key the version would be lost with that key.
          if (keyIndex > 0) await write(key, stored.output)
          return ok(stored.output)
        }
        return ok(undefined)
      } catch {
        return err('unreadable')
      }
    },
  }
}
