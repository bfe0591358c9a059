import { type Clock, settleBy } from '../../lib/clock.ts'
import { err } from '../../lib/result.ts'
import type { Token } from '../../lib/secret.ts'
import type { Identity } from '../identity.ts'
import { isUnreachable, type Unavailable, unavailable } from '../unavailable.ts'
import type { LookUp, LookUpToken } from '../validate.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import { createLookUpGate, type LookUpKind } from './look-up-gate.ts'

/** What is to be looked up, and for whom. */
export interface LookUpRequest {
  readonly token: Token
  readonly readsGroups: (identity: Identity) => boolean
  /** The id of the user that the token is known to be of; `undefined` for a token that nobody has seen before. */
  readonly knownUser: string | undefined
  /** The cluster that asks. */
  readonly cluster: string
  /** When all of it, waiting included, must have ended, in epoch milliseconds. */
  readonly deadlineMs: number
}

/** Keystone behind a rate limit, a gate and a breaker. */
export interface GuardedKeystone {
  /** Never throws; ends at `deadlineMs`. A look-up that is not made costs no call and is `unavailable`. */
  lookUp(request: LookUpRequest): Promise<LookUp>
  /** The state of the breaker for known tokens. */
  knownState(): BreakerState
  /** The worse of the states of both breakers, for operators. */
  state(): BreakerState
}

/** The part of the binding `LOOKUPS` that is used. */
export type LookUpsLimit = Pick<RateLimit, 'limit'>

export interface GuardedKeystoneDeps {
  readonly lookUpToken: LookUpToken
  /** The binding `LOOKUPS`, when bound. */
  readonly limit: LookUpsLimit | undefined
  /** `KEYSTONE_TIMEOUT_MS`. */
  readonly timeoutMs: number
  /** The longest that a look-up may take. */
  readonly lookUpMs: number
  readonly clock: Clock
  /** Told when the rate limit cannot be asked. */
  readonly onFault: (code: 'lookups_failed') => void
}

/** An answer that takes more than this part of `timeoutMs` counts as a failure of Keystone, though it is used. */
const SLOW = 0.6
/** A known token waits for a place for at most this part of the time of a look-up. */
const MAX_WAIT = 0.75
/** Of a new token, for a place; the rest of its time is for Keystone. */
const NEW_WAIT_MS = 2_000
const LIMIT_TIMEOUT_MS = 250

/**
 * Each kind of token has a breaker of its own: whoever may send any token at all can open the one for new tokens, and
 * users who are known neither lose their look-ups by that nor are served stale identities.
 */
export function createGuardedKeystone(deps: GuardedKeystoneDeps): GuardedKeystone {
  const { lookUpToken, timeoutMs } = deps
  const { now } = deps.clock
  const breakers = {
    // One user's token may be slow or broken by what it stands for (thousands of groups); two users' hardly are.
    known: createBreaker({ now, minUsers: 2, lookUpMs: deps.lookUpMs }),
    new: createBreaker({ now, minUsers: 0, lookUpMs: deps.lookUpMs }),
  }
  const gate = createLookUpGate(deps.clock)
  /** Whatever is answered in time is answered in this: two requests, neither of them slow. Some is left to ask after it. */
  const inTimeMs = Math.min(2 * SLOW * timeoutMs, MAX_WAIT * deps.lookUpMs)
  /** When Keystone last answered in time about a known token. */
  let answeredAtMs = Number.NEGATIVE_INFINITY

  async function ask(kind: LookUpKind, request: LookUpRequest, enteredAtMs: number) {
    const { token, readsGroups, deadlineMs, knownUser = '' } = request
    const startedAtMs = now()
    const budgetMs = deadlineMs - startedAtMs
    const found = await lookUpToken(token, readsGroups, deadlineMs)
    const tookMs = now() - startedAtMs
    const { result, calls } = found
    const error = result.ok || result.error.reason !== 'unavailable' ? undefined : result.error
    // The time was up early, as others were before: that many wait, not that Keystone hangs.
    const isCutShort = error?.cause === 'timeout' && tookMs >= budgetMs && startedAtMs > enteredAtMs
    if (isCutShort && answeredAtMs >= enteredAtMs) return refuse('busy', calls)
    const failed = isFailure(error, calls, tookMs)
    if (failed) breakers[kind].failed(knownUser)
    else if (failed === false) {
      breakers[kind].succeeded()
      if (kind === 'known') answeredAtMs = now()
    }
    return found
  }

  /** `undefined`: that says nothing, as the time was up early, which the wait for a place had used. */
  function isFailure(error: Unavailable | undefined, inTurn: number, tookMs: number): boolean | undefined {
    // Groups that hang are not made good by a token that was validated fast.
    if (error?.cause === 'timeout') return tookMs >= SLOW * timeoutMs || undefined
    return tookMs > SLOW * timeoutMs * inTurn || (error !== undefined && isUnreachable(error))
  }

  /**
   * Whether so long a wait says that Keystone hangs: nobody who is known was answered in all of it. Otherwise it says
   * that many wait, and whoever has many tokens can bring that about.
   */
  function isHanging(kind: LookUpKind, enteredAtMs: number): boolean {
    return kind === 'known' && now() - enteredAtMs >= inTimeMs && answeredAtMs < enteredAtMs
  }

  return {
    async lookUp(request) {
      const kind = request.knownUser === undefined ? 'new' : 'known'
      if (breakers[kind].state() === 'open') return refuse('breaker_open')
      if (kind === 'new' && !(await isWithinLimit(request.cluster, deps))) return refuse('rate_limited')
      const enteredAtMs = now()
      const leftMs = request.deadlineMs - enteredAtMs
      const waitMs = kind === 'known' ? Math.min(inTimeMs, leftMs) : Math.min(NEW_WAIT_MS, leftMs / 2)
      const leave = await gate.enter(kind, waitMs, deps.lookUpMs, request.knownUser)
      if (leave === undefined) return refuse(isHanging(kind, enteredAtMs) ? 'timeout' : 'busy')
      try {
        if (now() >= request.deadlineMs) return refuse(isHanging(kind, enteredAtMs) ? 'timeout' : 'busy')
        // Only who can ask at once may be the probe.
        return breakers[kind].admit(request.knownUser ?? '')
          ? await ask(kind, request, enteredAtMs)
          : refuse('breaker_open')
      } finally {
        leave()
      }
    },
    knownState: breakers.known.state,
    state() {
      const [known, fresh] = [breakers.known.state(), breakers.new.state()]
      return known === 'open' || fresh === 'closed' ? known : fresh
    },
  }
}

function refuse(cause: 'breaker_open' | 'rate_limited' | 'busy' | 'timeout', calls = 0): LookUp {
  return { result: err(unavailable(cause)), calls }
}

/** A limit that cannot be asked protects nobody, and must not lock new users out. */
async function isWithinLimit(
  cluster: string,
  { limit, clock, onFault }: Pick<GuardedKeystoneDeps, 'limit' | 'clock' | 'onFault'>,
): Promise<boolean> {
  if (limit === undefined) return true
  const passOver = (): boolean => {
    onFault('lookups_failed')
    return true
  }
  try {
    const ask = async (): Promise<boolean> => (await limit.limit({ key: `${cluster}:new` })).success
    return await settleBy(clock, clock.now() + LIMIT_TIMEOUT_MS, ask, passOver)
  } catch {
    return passOver()
  }
}
