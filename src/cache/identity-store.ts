import * as v from 'valibot'
import { type Identity, IdentitySchema } from '../keystone/identity.ts'
import { type Clock, settleBy } from '../lib/clock.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { Fingerprints } from './fingerprint.ts'
import { type CacheNamespace, readSealed, type Sealer } from './seal.ts'

/** An identity and when Keystone was asked about it, milliseconds since the epoch. */
export interface ValidatedIdentity {
  readonly identity: Identity
  readonly validatedAtMs: number
}

interface IdentityStoreDeps {
  readonly namespace: CacheNamespace
  readonly sealer: Sealer
  readonly clock: Clock
  /** Told about a namespace that fails, so that operators learn why everything is slower. */
  readonly onFault: (code: 'kv_read_failed' | 'kv_read_slow' | 'kv_write_failed') => void
}

/** How long a read may take before Keystone is asked instead. */
export const KV_TIMEOUT_MS = 500
/** KV refuses shorter lives; the value itself says from when on it is too old. */
const MIN_KEEP_SECONDS = 60
const Stored = v.pipe(v.string(), v.parseJson(), v.object({ identity: IdentitySchema, validatedAtMs: v.number() }))

/** Identities in Workers KV: sealed, under fingerprints, shared by all isolates and locations. Never rejects. */
export class IdentityStore {
  readonly #deps: IdentityStoreDeps

  constructor(deps: IdentityStoreDeps) {
    this.#deps = deps
  }

  /** What is stored for the token, however old; `undefined` when nothing usable is. Ends at `deadlineMs`. */
  async read(token: Token, fingerprints: Fingerprints, deadlineMs: number): Promise<ValidatedIdentity | undefined> {
    const { clock, onFault } = this.#deps
    const untilMs = Math.min(clock.now() + KV_TIMEOUT_MS, deadlineMs)
    const late = () => {
      onFault('kv_read_slow')
      return []
    }
    try {
      const found = await settleBy(clock, untilMs, readSealed(this.#deps, contextOf(token), fingerprints), late)
      for (const { opened } of found) {
        const stored = v.safeParse(Stored, opened)
        if (stored.success) return stored.output
      }
    } catch {
      onFault('kv_read_failed')
    }
    return undefined
  }

  /** Best effort. What Keystone has refused must not come back from here. */
  async remove(fingerprints: Fingerprints): Promise<void> {
    try {
      await Promise.all(fingerprints.map((fingerprint) => this.#deps.namespace.delete(`identity/${fingerprint}`)))
    } catch {
      this.#deps.onFault('kv_write_failed')
    }
  }

  /** Best effort. */
  async write(token: Token, fingerprint: string, validated: ValidatedIdentity, keepSeconds: number): Promise<void> {
    const { namespace, sealer, onFault } = this.#deps
    try {
      const sealed = await sealer.seal(contextOf(token), JSON.stringify(validated))
      const expirationTtl = Math.max(MIN_KEEP_SECONDS, Math.ceil(keepSeconds))
      await namespace.put(`identity/${fingerprint}`, sealed, { expirationTtl })
    } catch {
      onFault('kv_write_failed')
    }
  }
}

function contextOf(token: Token) {
  return { purpose: 'identity', binding: revealToken(token) } as const
}
