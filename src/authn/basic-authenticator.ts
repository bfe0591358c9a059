import type { Documents } from '../documents/registry.ts'
import type { TokenReview } from '../k8s/token-review.ts'
import type { Breaker } from '../keystone/limits/breaker.ts'
import type { AdmitNewToken } from '../keystone/limits/rate-limit.ts'
import type { Slots } from '../keystone/limits/slots.ts'
import { isUnreachable } from '../keystone/unavailable.ts'
import { createBoundedMap } from '../lib/bounded-map.ts'
import type { Clock, ExecutionCtx } from '../lib/clock.ts'
import type { Warning } from '../lib/fault.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import { SingleFlight } from '../lib/single-flight.ts'
import { NO_AUTHENTICATORS } from '../mapping/authenticators.ts'
import type { Answer } from '../telemetry/audit.ts'
import type { AskBasic } from './basic-api.ts'
import type { Asked, Authenticator } from './keystone-authenticator.ts'
import { answerVerdict, type BasicUnavailable, type Verdict } from './verdict.ts'

interface BasicAuthenticatorDeps {
  readonly documents: Pick<Documents, 'authenticators'>
  /** `undefined` without BASIC_AUTH_URL: then every such token is refused. */
  readonly ask: AskBasic | undefined
  readonly admitNewToken: AdmitNewToken
  readonly slots: Slots
  readonly breaker: Breaker
  readonly clock: Clock
  /** `IDENTITY_TTL_SECONDS` and `REJECTION_TTL_SECONDS`. */
  readonly acceptedMs: number
  readonly refusedMs: number
  readonly timeoutMs: number
  /** Told when the URL accepts requests without credentials. */
  readonly onUnprotected: (status: number) => void
}

type Outcome = 'accepted' | 'refused' | BasicUnavailable['cause']

const REMEMBERED = { maxEntries: 10_000, maxWeight: 2_000_000 }
const MAX_CALLS = 10_000
/** Wrong passwords for one user name of one cluster in a minute. */
const MAX_FAILURES = 10
const FAILURES_MS = 60_000
const COUNTED = { maxEntries: 10_000, maxWeight: 1_000_000 }
/** How often it is checked that the URL asks for credentials, and how often while it does not. */
const CHECK_AFTER_MS = 600_000
const CHECK_AGAIN_MS = 30_000

/** A user and a password (RFC 7617), split at the first colon; `undefined` where one of them is missing. */
export function splitCredentials(token: Token): { readonly user: string } | undefined {
  const text = revealToken(token)
  const colon = text.indexOf(':')
  return colon <= 0 || colon === text.length - 1 ? undefined : { user: text.slice(0, colon) }
}

/**
 * Answers TokenReviews about tokens of the form `user:password`, which an external HTTP Basic service checks. Verdicts
 * are kept in memory only, and never served past their time.
 */
export class BasicAuthenticator implements Authenticator {
  readonly #deps: BasicAuthenticatorDeps
  /** When the service accepted or refused a token. Apart, so that wrong passwords evict no user. */
  readonly #accepted = createBoundedMap<Token, number>(REMEMBERED)
  readonly #refused = createBoundedMap<Token, number>(REMEMBERED)
  readonly #failures = createBoundedMap<string, { count: number; readonly sinceMs: number }>(COUNTED)
  readonly #calls: SingleFlight<Outcome>
  readonly #checks: SingleFlight<void>
  /** The status without credentials, and when it was asked for. */
  #unauthenticated: { readonly status: number; readonly atMs: number } | undefined

  constructor(deps: BasicAuthenticatorDeps) {
    this.#deps = deps
    this.#calls = new SingleFlight(deps.clock, MAX_CALLS)
    this.#checks = new SingleFlight(deps.clock, 1)
  }

  peek(review: TokenReview, { cluster }: Asked): Answer | undefined {
    const user = splitCredentials(review.token)?.user
    if (user === undefined || this.#deps.ask === undefined) return answerVerdict(review, { reason: 'malformed' })
    const nowMs = this.#deps.clock.now()
    const isWithin = (atMs: number | undefined, ttlMs: number): boolean => atMs !== undefined && nowMs - atMs < ttlMs
    if (isWithin(this.#accepted.get(review.token), this.#deps.acceptedMs)) {
      return this.#answer(review, cluster, user, 'accepted')
    }
    const isRefused = isWithin(this.#refused.get(review.token), this.#deps.refusedMs)
    return isRefused ? this.#answer(review, cluster, user, 'refused') : undefined
  }

  async authenticate(review: TokenReview, { cluster, ctx, deadlineMs }: Asked): Promise<Answer> {
    const { ask } = this.#deps
    const user = splitCredentials(review.token)?.user
    if (user === undefined || ask === undefined) return answerVerdict(review, { reason: 'malformed' })
    if (!this.#isKnown(review.token) && this.#isGuessing(cluster, user)) {
      return this.#answer(review, cluster, user, 'guessing')
    }
    const shared = await this.#calls.run({
      key: `${cluster}\n${revealToken(review.token)}`,
      deadlineMs,
      ctx,
      call: (callDeadlineMs) => this.#ask(ask, review.token, user, cluster, ctx, callDeadlineMs),
    })
    return this.#answer(review, cluster, user, shared?.value ?? 'timeout')
  }

  /** What operators must know: that HTTP Basic is off. Asks the URL where that is due. */
  async warnings(ctx: ExecutionCtx): Promise<readonly Warning[]> {
    const { ask, clock, timeoutMs } = this.#deps
    if (ask === undefined) return []
    await this.#check(ask, ctx, clock.now() + timeoutMs)
    const status = this.#unauthenticated?.status
    if (status === undefined || status === 401) return []
    return [
      { path: 'BASIC_AUTH_URL', message: `answers ${status} without credentials instead of 401: HTTP Basic is off` },
    ]
  }

  async #ask(
    ask: AskBasic,
    token: Token,
    user: string,
    cluster: string,
    ctx: ExecutionCtx,
    deadlineMs: number,
  ): Promise<Outcome> {
    const { admitNewToken, slots, breaker, clock } = this.#deps
    const isKnown = this.#isKnown(token)
    if (!isKnown && !(await admitNewToken(cluster))) return 'rate_limited'
    if (breaker.state === 'open') return 'breaker_open'
    const release = await slots.acquire(isKnown ? 'known' : 'new', deadlineMs)
    if (release === undefined) return 'busy'
    try {
      if (!(await breaker.admits(ctx, deadlineMs))) return 'breaker_open'
      // Others may have guessed while this one waited.
      if (!isKnown && this.#isGuessing(cluster, user)) return 'guessing'
      await this.#check(ask, ctx, deadlineMs)
      const checked = this.#unauthenticated
      if (checked === undefined || clock.now() - checked.atMs >= 2 * CHECK_AFTER_MS) return 'unchecked'
      if (checked.status !== 401) return 'refused'
      const answer = await ask(revealToken(token), deadlineMs)
      if (!answer.ok) {
        if (isUnreachable(answer.error) && isKnown) breaker.failed(user)
        else if (isUnreachable(answer.error)) breaker.suspect(ctx)
        return answer.error.cause
      }
      if (isKnown) breaker.succeeded()
      else breaker.answeredNew()
      return this.#remember(token, user, cluster, answer.value.status, clock.now())
    } finally {
      release()
    }
  }

  #remember(token: Token, user: string, cluster: string, status: number, atMs: number): Outcome {
    const accepted = status >= 200 && status < 300
    if (!accepted && status !== 401 && status !== 403) return 'status'
    const [into, outOf] = accepted ? [this.#accepted, this.#refused] : [this.#refused, this.#accepted]
    outOf.delete(token)
    into.set(token, atMs, revealToken(token).length)
    if (accepted) return 'accepted'
    const key = `${cluster}\n${user}`
    const counted = this.#failures.get(key)
    if (counted !== undefined && atMs - counted.sinceMs < FAILURES_MS) counted.count += 1
    else this.#failures.set(key, { count: 1, sinceMs: atMs }, key.length)
    return 'refused'
  }

  /** Whether the service accepted the token before, however long ago. */
  #isKnown(token: Token): boolean {
    return this.#accepted.get(token) !== undefined
  }

  #isGuessing(cluster: string, user: string): boolean {
    const counted = this.#failures.get(`${cluster}\n${user}`)
    if (counted === undefined || this.#deps.clock.now() - counted.sinceMs >= FAILURES_MS) return false
    return counted.count >= MAX_FAILURES
  }

  /** A URL that answers anything but 401 without credentials would accept everybody. */
  async #check(ask: AskBasic, ctx: ExecutionCtx, deadlineMs: number): Promise<void> {
    const { clock, onUnprotected } = this.#deps
    const checked = this.#unauthenticated
    const checkAfterMs = checked?.status === 401 ? CHECK_AFTER_MS : CHECK_AGAIN_MS
    if (checked !== undefined && clock.now() - checked.atMs < checkAfterMs) return
    const call = async (callDeadlineMs: number): Promise<void> => {
      const answer = await ask(undefined, callDeadlineMs)
      const status = answer.ok ? answer.value.status : answer.error.status
      if (status === undefined) return
      if (status !== 401) onUnprotected(status)
      // Any other status says nothing: a rate limit, or a service that is being deployed.
      if (status === 401 || status < 400) this.#unauthenticated = { status, atMs: clock.now() }
    }
    await this.#checks.run({ key: '', deadlineMs, ctx, call })
  }

  #answer(review: TokenReview, cluster: string, name: string, outcome: Outcome): Answer {
    const { body, record } = answerVerdict(review, this.#toVerdict(cluster, name, outcome))
    return { body, record: { ...record, source: 'basic' } }
  }

  #toVerdict(cluster: string, name: string, outcome: Outcome): Verdict {
    if (outcome === 'refused') return { reason: 'rejected' }
    if (outcome !== 'accepted') return { reason: 'basic_unavailable', cause: outcome }
    const authenticators = this.#deps.documents.authenticators.state(cluster).value ?? NO_AUTHENTICATORS
    const user = authenticators.basicUser(name)
    return user === undefined ? { reason: 'reserved_name' } : { reason: 'authenticated', user, leftOut: 0 }
  }
}
