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

const Version = v.object({ text: v.string(), digest: v.string(), savedAtMs: v.number() })
const Stored = v.pipe(v.string(), v.parseJson(), Version)

interface LastGoodStoreDeps {
  readonly namespace: CacheNamespace
  readonly sealer: Sealer
  readonly fingerprints: Fingerprinter
}

/**
 * Where last good documents outlive isolates and deployments: sealed in the namespace `CACHE`, each bound to its own key,
 * so that one that was moved opens nowhere. Never rejects.
 */
export class LastGoodStore {
  readonly #deps: LastGoodStoreDeps

  constructor(deps: LastGoodStoreDeps) {
    this.#deps = deps
  }

  /** `undefined`: there was never one. `unreadable`: CACHE cannot be read now. `spoilt`: something else stands there. */
  async read(key: string): Promise<Result<LastGood | undefined, 'unreadable' | 'spoilt'>> {
    try {
      const fingerprints = await this.#deps.fingerprints('document', key)
      const [newest] = await readSealed(this.#deps, { purpose: 'document', binding: key }, fingerprints)
      if (newest === undefined) return ok(undefined)
      const stored = v.safeParse(Stored, newest.opened)
      if (!stored.success) return err('spoilt')
      // Sealed under an older cache key the version would be lost with that key.
      if (newest.keyIndex > 0) await this.write(key, stored.output)
      return ok(stored.output)
    } catch {
      return err('unreadable')
    }
  }

  /** Whether the version is stored now. */
  async write(key: string, version: LastGood): Promise<boolean> {
    try {
      const [fingerprint] = await this.#deps.fingerprints('document', key)
      const sealed = await this.#deps.sealer.seal({ purpose: 'document', binding: key }, JSON.stringify(version))
      await this.#deps.namespace.put(`document/${fingerprint}`, sealed)
      return true
    } catch {
      return false
    }
  }
}
