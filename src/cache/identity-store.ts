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

export interface IdentityStore {
  /** What is stored for the token, however old; `undefined` when nothing usable is. Never throws, ends at `deadlineMs`. */
  read(token: Token, fingerprints: Fingerprints, deadlineMs: number): Promise<ValidatedIdentity | undefined>
  /** Best effort: never throws. What Keystone has refused must not come back from here. */
  remove(fingerprints: Fingerprints): Promise<void>
  /** Best effort: never throws. */
  write(token: Token, fingerprint: string, validated: ValidatedIdentity, keepSeconds: number): Promise<void>
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

/** Identities in Workers KV: sealed, under fingerprints, shared by all isolates and locations. */
export function createIdentityStore(deps: IdentityStoreDeps): IdentityStore {
  return {
    async read(token, fingerprints, deadlineMs) {
      const untilMs = Math.min(deps.clock.now() + KV_TIMEOUT_MS, deadlineMs)
      const late = () => {
        deps.onFault('kv_read_slow')
        return []
      }
      try {
        const found = await settleBy(deps.clock, untilMs, readSealed(deps, contextOf(token), fingerprints), late)
        for (const { opened } of found) {
          const stored = v.safeParse(Stored, opened)
          if (stored.success) return stored.output
        }
      } catch {
        deps.onFault('kv_read_failed')
      }
      return undefined
    },
    async remove(fingerprints) {
      try {
        await Promise.all(fingerprints.map((fingerprint) => deps.namespace.delete(toKey(fingerprint))))
      } catch {
        deps.onFault('kv_write_failed')
      }
    },
    async write(token, fingerprint, validated, keepSeconds) {
      try {
        const sealed = await deps.sealer.seal(contextOf(token), JSON.stringify(validated))
        const expirationTtl = Math.max(MIN_KEEP_SECONDS, Math.ceil(keepSeconds))
        await deps.namespace.put(toKey(fingerprint), sealed, { expirationTtl })
      } catch {
        deps.onFault('kv_write_failed')
      }
    },
  }
}

function toKey(fingerprint: string): string {
  return `identity/${fingerprint}`
}

function contextOf(token: Token): { purpose: 'identity'; binding: string } {
  return { purpose: 'identity', binding: revealToken(token) }
}
