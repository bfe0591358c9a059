import type { GuardedKeystone } from '../keystone/limits/guarded-look-up.ts'
import { isAnswer, isUnreachable, type Unavailable, unavailable } from '../keystone/unavailable.ts'
import type { LookUp, Rejection } from '../keystone/validate.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { SingleFlight } from '../lib/single-flight.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Fingerprinter, Fingerprints } from './fingerprint.ts'
import type { IdentityStore, ValidatedIdentity } from './identity-store.ts'
import { createMemory, type KnownIdentity } from './token-memory.ts'

/** What was found of a token. */
export interface Found<T> extends Cost {
  readonly result: T
  readonly fingerprint: string
}

/** Where it came from, and what that cost. */
export interface Cost {
  /** `stale`: past its time, served because Keystone is unreachable. */
  readonly source: 'memory' | 'kv' | 'keystone' | 'stale'
  readonly keystoneCalls: number
  readonly keystoneMs: number
}

export type FoundIdentity<Answer> = Found<Result<KnownIdentity<Answer>, Rejection | Unavailable>>

/** Who asks about which token. */
export interface Query {
  readonly token: Token
  readonly mapping: Pick<Mapping, 'digest' | 'readsGroups'>
  readonly cluster: string
  readonly waitUntil: (promise: Promise<unknown>) => void
  /** See `KeystoneClient.lookUp`. */
  readonly groupsOf?: string | undefined
}

export interface Identities<Answer> {
  /**
   * What this isolate remembers of the token, without a promise: a warm review waits for nothing but its body. One in
   * use is asked about again behind the answer before its time is up.
   */
  recall(query: Query): FoundIdentity<Answer> | undefined
  /** KV, then Keystone, for what is not remembered. Never throws for what any of the two does; ends within `budgetMs`. */
  find(query: Query, budgetMs: number): Promise<FoundIdentity<Answer>>
}

export interface IdentitiesDeps<Answer> {
  readonly now: () => number
  readonly identityTtlSeconds: number
  readonly rejectionTtlSeconds: number
  readonly staleIfErrorSeconds: number
  /** All requests to Keystone for one token together. */
  readonly lookUpBudgetMs: number
  /** KV and Keystone together; more than `lookUpBudgetMs`. */
  readonly flightBudgetMs: number
  readonly fingerprints: Fingerprinter
  readonly store: IdentityStore
  readonly keystone: GuardedKeystone
  readonly flights: SingleFlight<FoundIdentity<Answer>>
  /** Whether the token still carries a signature that counts: keys may have been taken out since it was let in. */
  readonly isStillSigned: (query: Pick<Query, 'token' | 'waitUntil'>) => Promise<boolean>
  /** Told of each look-up behind an answer. */
  readonly onRefresh?: ((cluster: string, cost: Cost) => void) | undefined
}

/** A clock of another location may run ahead of ours by this much. */
const MAX_SKEW_MS = 5_000
/** From this part of its time on an identity in use is asked about again behind the answer. */
const REFRESH_AFTER = 2 / 3
/** Between two refreshes of one token. */
const RETRY_AFTER_MS = 5_000
/** So long after Keystone was unreachable for a token it is served stale without waiting; more than a retry takes. */
const UNREACHABLE_MS = 15_000
/** A token that KV knows passes the rate limit, so identities stay there for longer than they are served. */
const MAX_KEEP_SECONDS = 86_400

/** The cache of identities: by token in memory, sealed in KV, and Keystone behind them, asked once for all. */
export function createIdentities<Answer>(deps: IdentitiesDeps<Answer>): Identities<Answer> {
  const { now, store, keystone } = deps
  const ttlMs = deps.identityTtlSeconds * 1000
  const staleUntilMs = ttlMs + deps.staleIfErrorSeconds * 1000
  const usesKv = ttlMs > 0
  const memory = createMemory<Answer>(staleUntilMs > 0)

  /** Whether the identity is younger than `maxAgeMs`, its token still lives, and it says all that the mapping reads. */
  function isUsable(
    { identity, validatedAtMs }: ValidatedIdentity,
    { mapping }: Query,
    maxAgeMs: number,
    nowMs: number,
  ): boolean {
    const ageMs = nowMs - validatedAtMs
    if (ageMs < -MAX_SKEW_MS || ageMs >= maxAgeMs || nowMs >= identity.expiresAtMs) return false
    return identity.groups !== 'not_read' || !mapping.readsGroups(identity)
  }

  function recall(query: Query): FoundIdentity<Answer> | undefined {
    const hit = memory.known(query.token)
    if (hit === undefined) return recallRefusal(query.token)
    const nowMs = now()
    if (nowMs >= hit.identity.expiresAtMs) return atNoCost(err({ reason: 'expired' }), 'memory', hit.fingerprint)
    if (isUsable(hit, query, ttlMs, nowMs)) {
      if (nowMs - hit.validatedAtMs >= REFRESH_AFTER * ttlMs) refresh(hit, query)
      return atNoCost(ok(hit), 'memory', hit.fingerprint)
    }
    if (!isKnownUnreachable(hit) || !isUsable(hit, query, staleUntilMs, nowMs)) return undefined
    refresh(hit, query)
    return atNoCost(ok(hit), 'stale', hit.fingerprint)
  }

  function recallRefusal(token: Token): FoundIdentity<Answer> | undefined {
    const no = memory.refused(token)
    if (no === undefined || now() >= no.refusedAtMs + deps.rejectionTtlSeconds * 1000) return undefined
    return atNoCost(err(no.rejection), 'memory', no.fingerprint)
  }

  /** Whether to wait for Keystone would most likely be in vain. */
  function isKnownUnreachable(hit: KnownIdentity<Answer>): boolean {
    return now() - hit.unreachableAtMs < UNREACHABLE_MS || keystone.knownState() === 'open'
  }

  /** Asks again behind the answer: a steady user never waits for Keystone. */
  function refresh(hit: KnownIdentity<Answer>, query: Query): void {
    if (now() - hit.triedAtMs < RETRY_AFTER_MS) return
    hit.triedAtMs = now()
    query.waitUntil(askAgain(query))
  }

  async function askAgain(query: Query): Promise<void> {
    // What is forgotten goes the way of a new token, whose signature is looked at first.
    if (!(await deps.isStillSigned(query))) return memory.forget(query.token)
    const flown = await fly(query, deps.flightBudgetMs, REFRESH_AFTER * ttlMs)
    if (flown?.led && flown.value.keystoneCalls > 0) deps.onRefresh?.(query.cluster, flown.value)
  }

  /** One flight for all who want the same at the same time. */
  function fly(query: Query, budgetMs: number, maxAgeMs: number) {
    return deps.flights.run({
      key: `${query.mapping.digest}\n${revealToken(query.token)}`,
      budgetMs: Math.min(deps.flightBudgetMs, budgetMs),
      waitUntil: query.waitUntil,
      call: (leftMs) => fromKvOrKeystone(query, leftMs, maxAgeMs),
    })
  }

  async function fromKvOrKeystone(query: Query, budgetMs: number, maxAgeMs: number): Promise<FoundIdentity<Answer>> {
    const { token } = query
    const endsAtMs = now() + budgetMs
    const fingerprints = await deps.fingerprints('identity', revealToken(token))
    const fingerprint = fingerprints[0]
    const stored = usesKv ? await readStored(token, fingerprints, budgetMs) : undefined
    if (stored !== undefined && isUsable(stored, query, maxAgeMs, now())) {
      return atNoCost(ok(memory.remember(token, fingerprint, stored)), 'kv', fingerprint)
    }
    const known = newestOf(token, fingerprint, stored)
    const startedAtMs = now()
    // Another cluster's mapping may read groups that this one's does not: what replaces theirs must have them as well.
    const hasGroups = known !== undefined && known.identity.groups !== 'not_read'
    const { result, calls } = await keystone.lookUp({
      token,
      readsGroups: (identity) => hasGroups || query.mapping.readsGroups(identity),
      knownUser: known?.identity.user.id,
      cluster: query.cluster,
      groupsOf: query.groupsOf,
      budgetMs: Math.min(deps.lookUpBudgetMs, endsAtMs - startedAtMs),
    })
    if (known !== undefined) known.triedAtMs = now()
    const cost = { fingerprint, keystoneCalls: calls, keystoneMs: now() - startedAtMs }
    const stale = result.ok ? undefined : findStale(query, known, result.error)
    if (stale !== undefined) return { result: ok(stale), source: 'stale', ...cost }
    const settled = settle(query, fingerprints, result, startedAtMs, known !== undefined)
    return { result: settled, source: 'keystone', ...cost }
  }

  /** What KV knows of the token, unless Keystone has refused it since: KV may go on serving what was removed. */
  async function readStored(token: Token, fingerprints: Fingerprints, budgetMs: number) {
    const stored = await store.read(token, fingerprints, budgetMs)
    return stored !== undefined && !refusedSince(token, stored) ? stored : undefined
  }

  function refusedSince(token: Token, { validatedAtMs }: ValidatedIdentity): boolean {
    const no = memory.refused(token)
    return no !== undefined && no.refusedAtMs >= validatedAtMs
  }

  /** The youngest identity of the token that is known, however old; afterwards it is in memory. */
  function newestOf(
    token: Token,
    fingerprint: string,
    stored: ValidatedIdentity | undefined,
  ): KnownIdentity<Answer> | undefined {
    const hit = memory.known(token)
    if (stored === undefined || (hit !== undefined && hit.validatedAtMs >= stored.validatedAtMs)) return hit
    return memory.remember(token, fingerprint, stored)
  }

  /** What may be served though its time is up, as Keystone is unreachable. Never what it refused. */
  function findStale(query: Query, known: KnownIdentity<Answer> | undefined, error: Rejection | Unavailable) {
    if (known === undefined || error.reason !== 'unavailable') return undefined
    if (isAnswer(error)) known.unreachableAtMs = Number.NEGATIVE_INFINITY
    if (!isUnreachable(error)) return undefined
    // Another look-up may have been told no while this one waited.
    if (refusedSince(query.token, known)) return undefined
    known.unreachableAtMs = now()
    return isUsable(known, query, staleUntilMs, now()) ? known : undefined
  }

  /** Takes Keystone's verdict over into the caches. What is no verdict changes nothing. */
  function settle(
    { token, waitUntil }: Query,
    fingerprints: Fingerprints,
    result: LookUp['result'],
    validatedAtMs: number,
    wasKnown: boolean,
  ): Result<KnownIdentity<Answer>, Rejection | Unavailable> {
    const fingerprint = fingerprints[0]
    const refused = memory.refused(token)
    // Another look-up that started later was faster, and was told no.
    if (refused !== undefined && refused.refusedAtMs > validatedAtMs) return err(refused.rejection)
    if (result.ok) {
      const validated = { identity: result.value, validatedAtMs }
      const keepSeconds = Math.min(MAX_KEEP_SECONDS, (result.value.expiresAtMs - now()) / 1000)
      if (usesKv && keepSeconds > 0) waitUntil(store.write(token, fingerprint, validated, keepSeconds))
      return ok(memory.remember(token, fingerprint, validated))
    }
    if (result.error.reason !== 'unavailable') {
      memory.refuse(token, { fingerprint, rejection: result.error, refusedAtMs: validatedAtMs }, wasKnown)
      if (wasKnown && usesKv) waitUntil(store.remove(fingerprints))
    }
    return result
  }

  return {
    recall,
    async find(query, budgetMs) {
      const endsAtMs = now() + budgetMs
      let flown = await fly(query, budgetMs, ttlMs)
      // The limit that refused whoever led the flight may have been another cluster's.
      if (flown?.led === false && isRateLimited(flown.value)) flown = await fly(query, endsAtMs - now(), ttlMs)
      if (flown === undefined) {
        const [fingerprint] = await deps.fingerprints('identity', revealToken(query.token))
        return atNoCost(err(unavailable('timeout')), 'keystone', fingerprint)
      }
      return flown.led ? flown.value : { ...flown.value, keystoneCalls: 0, keystoneMs: 0 }
    },
  }
}

function isRateLimited({ result }: FoundIdentity<unknown>): boolean {
  return !result.ok && result.error.reason === 'unavailable' && result.error.cause === 'rate_limited'
}

function atNoCost<T>(result: T, source: 'memory' | 'kv' | 'keystone' | 'stale', fingerprint: string): Found<T> {
  return { result, source, fingerprint, keystoneCalls: 0, keystoneMs: 0 }
}
