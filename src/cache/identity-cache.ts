import type { Identity } from '../keystone/identity.ts'
import type { Guard } from '../keystone/limits/guard.ts'
import type { AdmitNewToken } from '../keystone/limits/rate-limit.ts'
import { isAnswer, isUnreachable, type Unavailable, unavailable } from '../keystone/unavailable.ts'
import type { LookUp, LookUpToken, Rejection } from '../keystone/validate.ts'
import type { Clock, ExecutionCtx } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import { SingleFlight } from '../lib/single-flight.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Fingerprinter, Fingerprints } from './fingerprint.ts'
import { type Freshness, type FreshnessLimits, freshnessOf } from './freshness.ts'
import type { IdentityStore, ValidatedIdentity } from './identity-store.ts'
import { type KnownIdentity, TokenMemory } from './token-memory.ts'

/** What was found about a token, where, and what that cost. */
export interface FoundIdentity<Answer> {
  readonly result: Result<KnownIdentity<Answer>, Rejection | Unavailable>
  /** `stale`: past its TTL, and served because Keystone is unreachable. */
  readonly source: 'memory' | 'kv' | 'keystone' | 'stale'
  readonly fingerprint: string
  readonly keystoneCalls: number
  readonly keystoneMs: number
}

/** A token, and the cluster that asks about it. */
export interface Query {
  readonly token: Token
  readonly mapping: Pick<Mapping, 'digest' | 'readsGroups'>
  readonly cluster: string
  readonly ctx: ExecutionCtx
}

interface IdentityCacheDeps {
  readonly clock: Clock
  readonly freshness: FreshnessLimits
  /** `REJECTION_TTL_SECONDS`. */
  readonly rejectionTtlMs: number
  /** The longest that all requests to Keystone about one token may take together. */
  readonly lookUpMs: number
  /** The longest that KV and Keystone may take together; more than `lookUpMs`. */
  readonly loadMs: number
  readonly fingerprints: Fingerprinter
  readonly store: IdentityStore
  readonly admitNewToken: AdmitNewToken
  readonly guard: Guard
  readonly lookUpToken: LookUpToken
  /** Whether a signature of the token still holds: keys may have been removed since the token was accepted. */
  readonly isStillSigned: (query: Pick<Query, 'token' | 'ctx'>) => Promise<boolean>
  /** Told of each look-up behind an answer. */
  readonly onRefresh?: ((cluster: string, found: Omit<FoundIdentity<unknown>, 'result'>) => void) | undefined
}

/** Between two refreshes of one token. */
const RETRY_AFTER_MS = 5_000
/** A token is served stale without waiting for so long after Keystone was unreachable for it; more than a retry takes. */
const UNREACHABLE_MS = 15_000
/** A token that KV knows is a known token, so identities stay in KV for longer than they are served. */
const MAX_KEEP_SECONDS = 86_400
const MAX_CALLS = 10_000

/** The cache of identities: in memory by token, sealed in KV, and Keystone behind both, asked once for all reviews. */
export class IdentityCache<Answer extends { readonly body: string }> {
  readonly #deps: IdentityCacheDeps
  readonly #memory = new TokenMemory<Answer>()
  readonly #calls: SingleFlight<FoundIdentity<Answer>>

  constructor(deps: IdentityCacheDeps) {
    this.#deps = deps
    this.#calls = new SingleFlight(deps.clock, MAX_CALLS)
  }

  /** What memory knows of a token that Keystone accepted, where that may be served now. */
  peekKnown(query: Query): FoundIdentity<Answer> | undefined {
    const known = this.#memory.known(query.token)
    return known && this.#serve(known, query)
  }

  /**
   * What memory knows of the token and may be served now; `undefined` where KV or Keystone must be asked. An identity in
   * use is refreshed behind the answer before its TTL ends, so that a steady user never waits for Keystone.
   */
  peek(query: Query): FoundIdentity<Answer> | undefined {
    const known = this.#memory.known(query.token)
    if (known !== undefined) return this.#serve(known, query)
    const no = this.#memory.refused(query.token)
    if (no === undefined || this.#deps.clock.now() >= no.refusedAtMs + this.#deps.rejectionTtlMs) return undefined
    return atNoCost(err(no.rejection), 'memory', no.fingerprint)
  }

  #serve(known: KnownIdentity<Answer>, query: Query): FoundIdentity<Answer> | undefined {
    switch (this.#freshnessOf(known, query)) {
      case 'expired':
        return atNoCost(err({ reason: 'expired' }), 'memory', known.fingerprint)
      case 'fresh':
        return atNoCost(ok(known), 'memory', known.fingerprint)
      case 'refresh':
        this.#refreshBehind(known, query)
        return atNoCost(ok(known), 'memory', known.fingerprint)
      case 'stale':
        if (!this.#isLikelyUnreachable(known.unreachableAtMs)) return undefined
        this.#refreshBehind(known, query)
        return atNoCost(ok(known), 'stale', known.fingerprint)
      case 'unusable':
        return undefined
    }
  }

  /** Asks KV, then Keystone. Never rejects; ends at `deadlineMs`. */
  async load(query: Query, deadlineMs: number): Promise<FoundIdentity<Answer>> {
    const shared = await this.#share(query, deadlineMs, ['fresh', 'refresh'])
    if (shared === undefined) {
      const [fingerprint] = await this.#deps.fingerprints('identity', revealToken(query.token))
      return atNoCost(err(unavailable('timeout')), 'keystone', fingerprint)
    }
    // Only the review that started the look-up counts its cost.
    return shared.led ? shared.value : { ...shared.value, keystoneCalls: 0, keystoneMs: 0 }
  }

  /** Keeps an answer that was made of the identity, for the next review in the same form. */
  keepAnswer(query: Query, known: KnownIdentity<Answer>, form: string, answer: Answer): void {
    known.keepAnswer(query.mapping.digest, form, answer, answer.body.length)
    this.#memory.weighAgain(query.token, known)
  }

  #freshnessOf(validated: ValidatedIdentity, { mapping }: Query): Freshness {
    // Whether groups are needed is asked only where there are none, because that costs a warm review.
    const needsGroups = validated.identity.groups === 'not_read' && mapping.readsGroups(validated.identity)
    return freshnessOf(validated, needsGroups, this.#deps.freshness, this.#deps.clock.now())
  }

  #isLikelyUnreachable(unreachableAtMs: number): boolean {
    return this.#deps.clock.now() - unreachableAtMs < UNREACHABLE_MS || this.#deps.guard.breakerState === 'open'
  }

  #refreshBehind(known: KnownIdentity<Answer>, query: Query): void {
    const nowMs = this.#deps.clock.now()
    if (nowMs - known.triedAtMs < RETRY_AFTER_MS) return
    known.triedAtMs = nowMs
    query.ctx.waitUntil(this.#refresh(query))
  }

  async #refresh(query: Query): Promise<void> {
    // A forgotten token is checked as a new one, and that begins with its signature.
    if (!(await this.#deps.isStillSigned(query))) return this.#memory.forget(query.token)
    const deadlineMs = this.#deps.clock.now() + this.#deps.loadMs
    const shared = await this.#share(query, deadlineMs, ['fresh'])
    if (shared?.led && shared.value.keystoneCalls > 0) this.#deps.onRefresh?.(query.cluster, shared.value)
  }

  /** One look-up for all reviews of a cluster that ask about the token at the same time. */
  #share(query: Query, deadlineMs: number, accepts: readonly Freshness[]) {
    return this.#calls.run({
      key: `${query.cluster}\n${query.mapping.digest}\n${revealToken(query.token)}`,
      deadlineMs: Math.min(deadlineMs, this.#deps.clock.now() + this.#deps.loadMs),
      ctx: query.ctx,
      call: (callDeadlineMs) => this.#askKvThenKeystone(query, callDeadlineMs, accepts),
    })
  }

  async #askKvThenKeystone(
    query: Query,
    deadlineMs: number,
    accepts: readonly Freshness[],
  ): Promise<FoundIdentity<Answer>> {
    const fingerprints = await this.#deps.fingerprints('identity', revealToken(query.token))
    // Before KV is read, so that a flood of tokens that nobody has costs no reads.
    const isNew = this.#memory.known(query.token) === undefined
    if (isNew && !(await this.#deps.admitNewToken(query.cluster))) {
      return atNoCost(err(unavailable('rate_limited')), 'keystone', fingerprints[0])
    }
    const known = await this.#findNewest(query.token, fingerprints, deadlineMs)
    if (known !== undefined && accepts.includes(this.#freshnessOf(known, query))) {
      return atNoCost(ok(known), 'kv', fingerprints[0])
    }
    return this.#askKeystone(query, fingerprints, known, deadlineMs)
  }

  async #askKeystone(
    query: Query,
    fingerprints: Fingerprints,
    known: KnownIdentity<Answer> | undefined,
    deadlineMs: number,
  ): Promise<FoundIdentity<Answer>> {
    const { clock, guard, lookUpToken, lookUpMs } = this.#deps
    const startedAtMs = clock.now()
    const untilMs = Math.min(deadlineMs, startedAtMs + lookUpMs)
    // The mapping of another cluster may read groups that this one's does not, so known groups are read again.
    const hasGroups = known !== undefined && known.identity.groups !== 'not_read'
    const readsGroups = (identity: Identity): boolean => hasGroups || query.mapping.readsGroups(identity)
    const call = { knownUser: known?.identity.user.id, deadlineMs: untilMs, ctx: query.ctx }
    const { result, calls } = await guard.lookUp(call, () => lookUpToken(query.token, readsGroups, untilMs))
    if (known !== undefined) known.triedAtMs = clock.now()
    const cost = { fingerprint: fingerprints[0], keystoneCalls: calls, keystoneMs: clock.now() - startedAtMs }
    if (!result.ok && known !== undefined && this.#maybeServeStale(query, known, result.error)) {
      return { result: ok(known), source: 'stale', ...cost }
    }
    const settled = this.#settle(query, fingerprints, result, startedAtMs, known !== undefined)
    return { result: settled, source: 'keystone', ...cost }
  }

  get #usesKv(): boolean {
    return this.#deps.freshness.ttlMs > 0
  }

  #wasRefusedSince(token: Token, { validatedAtMs }: ValidatedIdentity): boolean {
    const no = this.#memory.refused(token)
    return no !== undefined && no.refusedAtMs >= validatedAtMs
  }

  /** The youngest identity of the token that memory or KV has, however old. Afterwards memory has that one. */
  async #findNewest(
    token: Token,
    fingerprints: Fingerprints,
    deadlineMs: number,
  ): Promise<KnownIdentity<Answer> | undefined> {
    const stored = this.#usesKv ? await this.#deps.store.read(token, fingerprints, deadlineMs) : undefined
    const known = this.#memory.known(token)
    if (stored === undefined || (known !== undefined && known.validatedAtMs >= stored.validatedAtMs)) return known
    // KV can serve an identity that was removed, because Keystone has refused the token since.
    return this.#wasRefusedSince(token, stored) ? known : this.#memory.remember(token, fingerprints[0], stored)
  }

  /** Whether the identity may be served past its TTL now: never one that Keystone refused. */
  #maybeServeStale(query: Query, known: KnownIdentity<Answer>, error: Rejection | Unavailable): boolean {
    if (error.reason !== 'unavailable') return false
    if (isAnswer(error)) known.unreachableAtMs = Number.NEGATIVE_INFINITY
    // Another look-up may have been refused while this one waited.
    if (!isUnreachable(error) || this.#wasRefusedSince(query.token, known)) return false
    known.unreachableAtMs = this.#deps.clock.now()
    return ['fresh', 'refresh', 'stale'].includes(this.#freshnessOf(known, query))
  }

  /** Takes over Keystone's verdict into memory and KV. An unavailable Keystone changes nothing. */
  #settle(
    { token, ctx }: Query,
    fingerprints: Fingerprints,
    result: LookUp['result'],
    validatedAtMs: number,
    wasKnown: boolean,
  ): FoundIdentity<Answer>['result'] {
    const fingerprint = fingerprints[0]
    const refused = this.#memory.refused(token)
    // Another look-up started later, ended earlier and was refused.
    if (refused !== undefined && refused.refusedAtMs > validatedAtMs) return err(refused.rejection)
    if (result.ok) {
      const validated = { identity: result.value, validatedAtMs }
      const keepSeconds = Math.min(MAX_KEEP_SECONDS, (result.value.expiresAtMs - this.#deps.clock.now()) / 1000)
      if (this.#usesKv && keepSeconds > 0) {
        ctx.waitUntil(this.#deps.store.write(token, fingerprint, validated, keepSeconds))
      }
      return ok(this.#memory.remember(token, fingerprint, validated))
    }
    if (result.error.reason !== 'unavailable') {
      this.#memory.refuse(token, { fingerprint, rejection: result.error, refusedAtMs: validatedAtMs }, wasKnown)
      if (wasKnown && this.#usesKv) ctx.waitUntil(this.#deps.store.remove(fingerprints))
    }
    return result
  }
}

function atNoCost<Answer>(
  result: FoundIdentity<Answer>['result'],
  source: FoundIdentity<Answer>['source'],
  fingerprint: string,
): FoundIdentity<Answer> {
  return { result, source, fingerprint, keystoneCalls: 0, keystoneMs: 0 }
}
