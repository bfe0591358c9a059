import * as v from 'valibot'
import type { Fingerprinter } from '../cache/fingerprint.ts'
import { type CacheNamespace, readSealed, type Sealer } from '../cache/seal.ts'
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
  /** Whether the version is stored now. Never rejects. */
  write(key: string, version: LastGood): Promise<boolean>
}

const Version = v.object({ text: v.string(), digest: v.string(), savedAtMs: v.number() })
const Stored = v.pipe(v.string(), v.parseJson(), Version)

/** Sealed in the namespace `CACHE`, each bound to its own key: one that was moved opens nowhere. */
export function createLastGoodStore(deps: {
  readonly namespace: CacheNamespace
  readonly sealer: Sealer
  readonly fingerprints: Fingerprinter
}): LastGoodStore {
  const contextOf = (key: string) => ({ purpose: 'document', binding: key }) as const

  async function write(key: string, version: LastGood): Promise<boolean> {
    try {
      const [fingerprint] = await deps.fingerprints('document', key)
      const sealed = await deps.sealer.seal(contextOf(key), JSON.stringify(version))
      await deps.namespace.put(`document/${fingerprint}`, sealed)
      return true
    } catch {
      return false
    }
  }

  return {
    write,
    async read(key) {
      try {
        const [newest] = await readSealed(deps, contextOf(key), await deps.fingerprints('document', key))
        if (newest === undefined) return ok(undefined)
        const stored = v.safeParse(Stored, newest.opened)
        if (!stored.success) return err('spoilt')
        // Sealed under an older cache key the version would be lost with that key.
        if (newest.keyIndex > 0) await write(key, stored.output)
        return ok(stored.output)
      } catch {
        return err('unreadable')
      }
    },
  }
}
