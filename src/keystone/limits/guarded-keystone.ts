import type { Clock, ExecutionCtx } from '../../lib/clock.ts'
import { err } from '../../lib/result.ts'
import type { Token } from '../../lib/secret.ts'
import type { Identity } from '../identity.ts'
import { isUnreachable, type Unavailable, unavailable } from '../unavailable.ts'
import type { LookUp, LookUpToken } from '../validate.ts'
import type { Breaker, BreakerState } from './breaker.ts'
import type { AdmitNewToken } from './rate-limit.ts'
import type { Slots } from './slots.ts'

/** A token that is to be looked up, and for whom. */
interface LookUpRequest {
  readonly token: Token
  readonly readsGroups: (identity: Identity) => boolean
  /** The id of the user for whom the token was validated before; `undefined` for a new token. */
  readonly knownUser: string | undefined
  /** When all of it, waiting included, must have ended, in epoch milliseconds. */
  readonly deadlineMs: number
  readonly ctx: ExecutionCtx
}

/** Keystone behind a rate limit, slots and a breaker. */
export interface GuardedKeystone {
  /** To be asked before a token that this isolate does not know is looked up. */
  readonly admitNewToken: AdmitNewToken
  /** Never rejects; ends at `deadlineMs`. A look-up that is not made takes no request and is `unavailable`. */
  lookUp(request: LookUpRequest): Promise<LookUp>
  readonly breakerState: BreakerState
}

interface GuardedKeystoneDeps {
  readonly lookUpToken: LookUpToken
  readonly admitNewToken: AdmitNewToken
  readonly slots: Slots
  readonly breaker: Breaker
  /** `KEYSTONE_TIMEOUT_MS`. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'now'>
}

/** The least time that a look-up needs: two requests to a Keystone that is not fast. */
const MIN_LOOK_UP_MS = 1_000

export function createGuardedKeystone(deps: GuardedKeystoneDeps): GuardedKeystone {
  const { lookUpToken, admitNewToken, slots, breaker, timeoutMs, clock } = deps

  async function ask({ token, readsGroups, knownUser, deadlineMs, ctx }: LookUpRequest): Promise<LookUp> {
    const leftMs = deadlineMs - clock.now()
    // After so long a wait for a slot an answer cannot be expected in time, which says nothing about Keystone.
    if (leftMs < Math.min(MIN_LOOK_UP_MS, timeoutMs)) return refuse('busy')
    const found = await lookUpToken(token, readsGroups, deadlineMs)
    const error = unavailableOf(found)
    // A shorter time than KEYSTONE_TIMEOUT_MS is no failure of Keystone either, though no answer came.
    if (error?.cause === 'timeout' && leftMs < timeoutMs) return found
    if (error === undefined || !isUnreachable(error)) {
      if (knownUser !== undefined) breaker.succeeded()
      else breaker.answeredNew()
    } else if (knownUser !== undefined) breaker.failed(knownUser)
    else breaker.suspect(ctx)
    return found
  }

  return {
    admitNewToken,
    async lookUp(request) {
      if (breaker.state === 'open') return refuse('breaker_open')
      const release = await slots.acquire(request.knownUser === undefined ? 'new' : 'known', request.deadlineMs)
      if (release === undefined) return refuse('busy')
      try {
        // The breaker may have opened meanwhile.
        return (await breaker.admits(request.ctx, request.deadlineMs)) ? await ask(request) : refuse('breaker_open')
      } finally {
        release()
      }
    },
    get breakerState() {
      return breaker.state
    },
  }
}

function unavailableOf({ result }: LookUp): Unavailable | undefined {
  return result.ok || result.error.reason !== 'unavailable' ? undefined : result.error
}

function refuse(cause: 'breaker_open' | 'busy'): LookUp {
  return { result: err(unavailable(cause)), calls: 0 }
}
