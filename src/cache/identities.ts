import { createBoundedMap } from '../bounded-map.ts'
import type { Identity } from '../identity/identity.ts'
import type { Mapping } from '../identity/mapping.ts'
import type { KeystoneClient, LookUp, Rejection, Unavailable } from '../keystone/client.ts'
import { err, ok, type Result } from '../result.ts'
import { revealToken, type Token } from '../secret.ts'
import type { Fingerprinter } from './fingerprint.ts'
import type { IdentityStore, ValidatedIdentity } from './kv.ts'
import type { SingleFlight } from './single-flight.ts'

/** A token's identity as this isolate remembers it. */
export interface KnownIdentity<Answer> extends ValidatedIdentity {
  readonly fingerprint: string
  /** What was made of the identity before and can be used again, by a key of the maker's. */
  answer(key: string): Answer | undefined
  /** Keeps such an answer, at the cost of other identities: `weight` is its length. */
  keepAnswer(key: string, answer: Answer, weight: number): void
}

/** Where an answer came from, and what it cost this review. */
export interface Found<T> {
  readonly result: T
  readonly source: 'memory' | 'kv' | 'keystone'
  readonly fingerprint: string
  readonly keystoneCalls: number
  readonly keystoneMs: number
}

export type FlightResult<Answer> = Found<Result<KnownIdentity<Answer>, Rejection | Unavailable>>

export interface Identities<Answer> {
  /** What this isolate remembers of the token, without a promise: a warm review waits for nothing but its body. */
  recall(token: Token, mapping: Pick<Mapping, 'readsGroups'>): FlightResult<Answer> | undefined
  /** KV, then Keystone, for what is not remembered. Never throws for what any of the two does. */
  find(
    token: Token,
    mapping: Pick<Mapping, 'digest' | 'readsGroups'>,
    waitUntil: (promise: Promise<unknown>) => void,
    /** How long this review may still take. */
    budgetMs: number,
  ): Promise<FlightResult<Answer>>
}

export interface IdentitiesDeps<Answer> {
  readonly now: () => number
  readonly identityTtlSeconds: number
  readonly rejectionTtlSeconds: number
  /** All requests to Keystone for one token together. */
  readonly lookUpBudgetMs: number
  /** KV and Keystone together; more than `lookUpBudgetMs`. */
  readonly flightBudgetMs: number
  readonly fingerprints: Fingerprinter
  readonly store: IdentityStore
  readonly keystone: KeystoneClient
  readonly flights: SingleFlight<FlightResult<Answer>>
}

// In characters, of an isolate's 128 MB. Good and refused tokens live apart, so that no garbage pushes a user out.
const KNOWN = { maxEntries: 10_000, maxWeight: 24_000_000 }
const REJECTED = { maxEntries: 20_000, maxWeight: 4_000_000 }
/** One token asked about by more clusters than this at once is mapped again now and then, which costs little. */
const ANSWERS = { maxEntries: 8, maxWeight: 4_000_000 }

/** A clock of another location may run ahead of ours by this much. */
const MAX_SKEW_MS = 5_000

/** The cache of identities: by token in memory, sealed in KV, and Keystone behind them, asked once for all. */
export function createIdentities<Answer>(deps: IdentitiesDeps<Answer>): Identities<Answer> {
  const known = createBoundedMap<Token, KnownIdentity<Answer>>(KNOWN)
  const rejected = createBoundedMap<Token, { untilMs: number; fingerprint: string; rejection: Rejection }>(REJECTED)

  function isUsable(
    { identity, validatedAtMs }: ValidatedIdentity,
    readsGroups: (identity: Identity) => boolean,
  ): boolean {
    const now = deps.now()
    const ageMs = now - validatedAtMs
    if (ageMs < -MAX_SKEW_MS || ageMs >= deps.identityTtlSeconds * 1000 || now >= identity.expiresAtMs) return false
    return identity.groups !== 'not_read' || !readsGroups(identity)
  }

  function recall(token: Token, mapping: Pick<Mapping, 'readsGroups'>): FlightResult<Answer> | undefined {
    const hit = known.get(token)
    if (hit !== undefined && deps.now() >= hit.identity.expiresAtMs) {
      return atNoCost(err({ reason: 'expired' }), 'memory', hit.fingerprint)
    }
    if (hit !== undefined && isUsable(hit, mapping.readsGroups)) return atNoCost(ok(hit), 'memory', hit.fingerprint)
    const no = rejected.get(token)
    if (no !== undefined && deps.now() < no.untilMs) return atNoCost(err(no.rejection), 'memory', no.fingerprint)
    return undefined
  }

  function remember(token: Token, fingerprint: string, validated: ValidatedIdentity): KnownIdentity<Answer> {
    const answers = createBoundedMap<string, Answer>(ANSWERS)
    const ownWeight = revealToken(token).length + 2 * JSON.stringify(validated).length
    const entry: KnownIdentity<Answer> = {
      ...validated,
      fingerprint,
      answer: answers.get,
      keepAnswer(key, answer, weight) {
        answers.set(key, answer, weight)
        // Answers can be larger than what they are made of: a mapping may give hundreds of groups.
        if (known.get(token) === entry) known.set(token, entry, ownWeight + answers.weight())
      },
    }
    rejected.delete(token)
    if (deps.identityTtlSeconds > 0) known.set(token, entry, ownWeight)
    return entry
  }

  async function fromKvOrKeystone(
    token: Token,
    mapping: Pick<Mapping, 'readsGroups'>,
    waitUntil: (promise: Promise<unknown>) => void,
    budgetMs: number,
  ): Promise<FlightResult<Answer>> {
    const endsAtMs = deps.now() + budgetMs
    const fingerprints = await deps.fingerprints('identity', revealToken(token))
    const fingerprint = fingerprints[0]
    const stored = deps.identityTtlSeconds > 0 ? await deps.store.read(token, fingerprints, budgetMs) : undefined
    if (stored !== undefined && isUsable(stored, mapping.readsGroups)) {
      return atNoCost(ok(remember(token, fingerprint, stored)), 'kv', fingerprint)
    }
    const startedAtMs = deps.now()
    const lookUpMs = Math.min(deps.lookUpBudgetMs, endsAtMs - startedAtMs)
    const { result, calls } = await deps.keystone.lookUp(token, mapping.readsGroups, lookUpMs)
    if (stored !== undefined && !result.ok && result.error.reason !== 'unavailable') {
      waitUntil(deps.store.remove(fingerprints))
    }
    const cost = {
      source: 'keystone',
      fingerprint,
      keystoneCalls: calls,
      keystoneMs: deps.now() - startedAtMs,
    } as const
    return { result: settle(token, fingerprint, result, startedAtMs, waitUntil), ...cost }
  }

  /** Takes Keystone's verdict over into the caches. What is no verdict changes nothing. */
  function settle(
    token: Token,
    fingerprint: string,
    result: LookUp['result'],
    validatedAtMs: number,
    waitUntil: (promise: Promise<unknown>) => void,
  ): Result<KnownIdentity<Answer>, Rejection | Unavailable> {
    if (result.ok) {
      const validated = { identity: result.value, validatedAtMs }
      const keepMs = Math.min(deps.identityTtlSeconds * 1000, result.value.expiresAtMs - deps.now())
      if (keepMs > 0) waitUntil(deps.store.write(token, fingerprint, validated, keepMs / 1000))
      return ok(remember(token, fingerprint, validated))
    }
    const rejection = result.error
    if (rejection.reason !== 'unavailable') {
      known.delete(token)
      const untilMs = validatedAtMs + deps.rejectionTtlSeconds * 1000
      rejected.set(token, { untilMs, fingerprint, rejection }, revealToken(token).length)
    }
    return result
  }

  return {
    recall,
    async find(token, mapping, waitUntil, budgetMs) {
      const flown = await deps.flights.run({
        key: `${mapping.digest}\n${revealToken(token)}`,
        budgetMs: Math.min(deps.flightBudgetMs, budgetMs),
        waitUntil,
        call: (leftMs) => fromKvOrKeystone(token, mapping, waitUntil, leftMs),
      })
      if (flown === undefined) {
        const [fingerprint] = await deps.fingerprints('identity', revealToken(token))
        return atNoCost(err({ reason: 'unavailable', cause: 'timeout' }), 'keystone', fingerprint)
      }
      return flown.led ? flown.value : { ...flown.value, keystoneCalls: 0, keystoneMs: 0 }
    },
  }
}

function atNoCost<T>(result: T, source: 'memory' | 'kv' | 'keystone', fingerprint: string): Found<T> {
  return { result, source, fingerprint, keystoneCalls: 0, keystoneMs: 0 }
}
