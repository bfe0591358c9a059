import type { Documents } from '../documents/registry.ts'
import type { TokenReview } from '../k8s/token-review.ts'
import type { Guard } from '../keystone/limits/guard.ts'
import type { AdmitNewToken } from '../keystone/limits/rate-limit.ts'
import { unavailable } from '../keystone/unavailable.ts'
import type { LookUp } from '../keystone/validate.ts'
import { BoundedMap } from '../lib/bounded-map.ts'
import type { Clock, ExecutionCtx } from '../lib/clock.ts'
import type { Warning } from '../lib/fault.ts'
import { err, ok } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import { SingleFlight } from '../lib/single-flight.ts'
import { NO_AUTHENTICATORS } from '../mapping/authenticators.ts'
import type { Answer } from '../telemetry/audit.ts'
import type { AskBasic } from './basic-api.ts'
import type { Asked, Authenticator } from './keystone-authenticator.ts'
import { answerVerdict, type Verdict } from './verdict.ts'

interface BasicAuthenticatorDeps {
  readonly documents: Pick<Documents, 'authenticators'>
  /** `undefined` without BASIC_AUTH_URL: then every such token is refused. */
  readonly ask: AskBasic | undefined
  readonly admitNewToken: AdmitNewToken
  readonly guard: Guard
  readonly clock: Clock
  /** `IDENTITY_TTL_SECONDS` and `REJECTION_TTL_SECONDS`. */
  readonly acceptedMs: number
  readonly refusedMs: number
  readonly timeoutMs: number
  /** Told when the URL accepts requests without credentials. */
  readonly onUnprotected: (status: number) => void
}

/** Of one user and password. */
type BasicLookUp = LookUp<'accepted' | 'guessing' | 'unchecked'>

const REJECTED = err({ reason: 'rejected' } as const)
const NEVER = Number.NEGATIVE_INFINITY
const REMEMBERED = { maxEntries: 10_000, maxWeight: 2_000_000 }
const MAX_CALLS = 10_000
/** Wrong passwords for one user name of one cluster in a minute. */
const MAX_FAILURES = 10
const FAILURES_MS = 60_000
const COUNTED = { maxEntries: 10_000, maxWeight: 1_000_000 }
/** How often it is checked that the URL asks for credentials, and how often while it does not. */
const CHECK_AFTER_MS = 600_000
const CHECK_AGAIN_MS = 30_000

/** The user of a user and password (RFC 7617), split at the first colon; `undefined` where one of them is missing. */
export function basicUserOf(token: Token): string | undefined {
  const text = revealToken(token)
  const colon = text.indexOf(':')
  return colon <= 0 || colon === text.length - 1 ? undefined : text.slice(0, colon)
}

/**
 * Answers TokenReviews about tokens of the form `user:password`, which an external HTTP Basic service checks. Verdicts
 * are kept in memory only, and never served past their time.
 */
export class BasicAuthenticator implements Authenticator {
  readonly #deps: BasicAuthenticatorDeps
  /** When the service accepted or refused a token. Apart, so that wrong passwords evict no user. */
  readonly #accepted = new BoundedMap<Token, number>(REMEMBERED)
  readonly #refused = new BoundedMap<Token, number>(REMEMBERED)
  readonly #failures = new BoundedMap<string, { count: number; readonly sinceMs: number }>(COUNTED)
  readonly #calls: SingleFlight<BasicLookUp['result']>
  readonly #checks: SingleFlight<void>
  /** The status without credentials, and when it was asked for. */
  #unauthenticated: { readonly status: number; readonly atMs: number } | undefined

  constructor(deps: BasicAuthenticatorDeps) {
    this.#deps = deps
    this.#calls = new SingleFlight(deps.clock, MAX_CALLS)
    this.#checks = new SingleFlight(deps.clock, 1)
  }

  peek(review: TokenReview, { cluster }: Asked): Answer | undefined {
    const { token } = review
    const { ask, clock, acceptedMs, refusedMs } = this.#deps
    if (basicUserOf(token) === undefined || ask === undefined) return answerVerdict(review, { reason: 'malformed' })
    const nowMs = clock.now()
    if (nowMs - (this.#accepted.get(token) ?? NEVER) < acceptedMs) return this.#answer(review, cluster, ok('accepted'))
    return nowMs - (this.#refused.get(token) ?? NEVER) < refusedMs ? this.#answer(review, cluster, REJECTED) : undefined
  }

  async authenticate(review: TokenReview, { cluster, ctx, deadlineMs }: Asked): Promise<Answer> {
    const shared = await this.#calls.run({
      key: `${cluster}\n${revealToken(review.token)}`,
      deadlineMs,
      ctx,
      call: (callDeadlineMs) => this.#lookUp(review.token, { cluster, ctx, deadlineMs: callDeadlineMs }),
    })
    return this.#answer(review, cluster, shared?.value ?? err(unavailable('timeout')))
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

  async #lookUp(token: Token, asked: Asked): Promise<BasicLookUp['result']> {
    const { ask, admitNewToken, guard } = this.#deps
    const user = basicUserOf(token)
    if (ask === undefined || user === undefined) return REJECTED
    const attempts = `${asked.cluster}\n${user}`
    // Accepted before, however long ago.
    const isKnown = this.#accepted.get(token) !== undefined
    if (!isKnown && this.#isGuessing(attempts)) return ok('guessing')
    if (!isKnown && !(await admitNewToken(asked.cluster))) return err(unavailable('rate_limited'))
    const found = await guard.lookUp<'accepted' | 'guessing' | 'unchecked'>(
      { ...asked, knownUser: isKnown ? user : undefined },
      async () => {
        // Others may have guessed while this one waited.
        if (!isKnown && this.#isGuessing(attempts)) return { result: ok('guessing'), calls: 0 }
        const refusal = await this.#check(ask, asked.ctx, asked.deadlineMs)
        if (refusal !== undefined) return { result: refusal, calls: 0 }
        const answer = await ask(revealToken(token), asked.deadlineMs)
        return { result: answer.ok ? this.#remember(token, attempts, answer.value) : answer, calls: 1 }
      },
    )
    return found.result
  }

  #remember(token: Token, attempts: string, status: number): BasicLookUp['result'] {
    const isAccepted = status >= 200 && status < 300
    if (!isAccepted && status !== 401 && status !== 403) return err(unavailable('status', status))
    const atMs = this.#deps.clock.now()
    const [into, outOf] = isAccepted ? [this.#accepted, this.#refused] : [this.#refused, this.#accepted]
    outOf.delete(token)
    into.set(token, atMs, revealToken(token).length)
    if (isAccepted) return ok('accepted')
    const counted = this.#failures.get(attempts)
    if (counted !== undefined && atMs - counted.sinceMs < FAILURES_MS) counted.count += 1
    else this.#failures.set(attempts, { count: 1, sinceMs: atMs }, attempts.length)
    return REJECTED
  }

  #isGuessing(attempts: string): boolean {
    const counted = this.#failures.get(attempts)
    if (counted === undefined || this.#deps.clock.now() - counted.sinceMs >= FAILURES_MS) return false
    return counted.count >= MAX_FAILURES
  }

  /** Why nothing may be sent: a URL that answers anything but 401 without credentials would accept everybody. */
  async #check(ask: AskBasic, ctx: ExecutionCtx, deadlineMs: number): Promise<BasicLookUp['result'] | undefined> {
    const { clock, onUnprotected } = this.#deps
    const call = async (callDeadlineMs: number): Promise<void> => {
      const answer = await ask(undefined, callDeadlineMs)
      const status = answer.ok ? answer.value : answer.error.status
      if (status === undefined) return
      if (status !== 401) onUnprotected(status)
      // Any other status says nothing: a rate limit, or a service that is being deployed.
      if (status === 401 || status < 400) this.#unauthenticated = { status, atMs: clock.now() }
    }
    const { status: last, atMs = NEVER } = this.#unauthenticated ?? {}
    const isDue = clock.now() - atMs >= (last === 401 ? CHECK_AFTER_MS : CHECK_AGAIN_MS)
    if (isDue) await this.#checks.run({ key: '', deadlineMs, ctx, call })
    const checked = this.#unauthenticated
    if (checked === undefined || clock.now() - checked.atMs >= 2 * CHECK_AFTER_MS) return ok('unchecked')
    return checked.status === 401 ? undefined : REJECTED
  }

  #answer(review: TokenReview, cluster: string, result: BasicLookUp['result']): Answer {
    const { body, record } = answerVerdict(review, this.#toVerdict(review.token, cluster, result))
    return { body, record: { ...record, source: 'basic' } }
  }

  #toVerdict(token: Token, cluster: string, result: BasicLookUp['result']): Verdict {
    if (!result.ok) {
      const { error } = result
      return error.reason === 'unavailable' ? { reason: 'basic_unavailable', cause: error.cause } : error
    }
    if (result.value !== 'accepted') return { reason: 'basic_unavailable', cause: result.value }
    const authenticators = this.#deps.documents.authenticators.state(cluster).value ?? NO_AUTHENTICATORS
    const user = authenticators.basicUser(basicUserOf(token) ?? '')
    return user === undefined ? { reason: 'reserved_name' } : { reason: 'authenticated', user, leftOut: 0 }
  }
}
