import * as v from 'valibot'
import { type Identity, IdentitySchema } from '../keystone/identity.ts'
import { type Clock, settleBy } from '../lib/clock.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { Fingerprints } from './fingerprint.ts'
import type { Sealer } from './seal.ts'

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

/** The part of a KV namespace that is used. */
export type CacheNamespace = Pick<KVNamespace, 'put' | 'delete'> & {
  get(keys: string[], options: { type: 'text'; cacheTtl: number }): Promise<Map<string, string | null>>
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
/** The shortest that KV allows. Absent keys are cached as well, so a long one would hide what was just written. */
const EDGE_CACHE_SECONDS = 30

const Stored = v.pipe(v.string(), v.parseJson(), v.object({ identity: IdentitySchema, validatedAtMs: v.number() }))

/** Identities in Workers KV: sealed, under fingerprints, shared by all isolates and locations. */
export function createIdentityStore(deps: IdentityStoreDeps): IdentityStore {
  return {
    async read(token, fingerprints, deadlineMs) {
      const values = await readAll(
        deps,
        fingerprints.map(toKey),
        Math.min(deps.clock.now() + KV_TIMEOUT_MS, deadlineMs),
      )
      for (const [keyIndex, fingerprint] of fingerprints.entries()) {
        const sealed = values?.get(toKey(fingerprint))
        if (sealed === undefined || sealed === null) continue
        const opened = await deps.sealer.open(contextOf(token), keyIndex, sealed)
        const parsed = opened === undefined ? undefined : parseStored(opened)
        if (parsed !== undefined) return parsed
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

/** All keys in one operation, in case the value was sealed before the last rotation. */
async function readAll(
  deps: IdentityStoreDeps,
  keys: string[],
  deadlineMs: number,
): Promise<Map<string, string | null> | undefined> {
  const late = () => {
    deps.onFault('kv_read_slow')
    return undefined
  }
  try {
    const reading = deps.namespace.get(keys, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
    return await settleBy(deps.clock, deadlineMs, reading, late)
  } catch {
    deps.onFault('kv_read_failed')
    return undefined
  }
}

function parseStored(text: string): ValidatedIdentity | undefined {
  const parsed = v.safeParse(Stored, text)
  return parsed.success ? parsed.output : undefined
}

function toKey(fingerprint: string): string {
  return `identity/${fingerprint}`
}

function contextOf(token: Token): { purpose: 'identity'; binding: string } {
  return { purpose: 'identity', binding: revealToken(token) }
}
