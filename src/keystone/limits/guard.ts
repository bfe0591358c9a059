import type { Clock, ExecutionCtx } from '../../lib/clock.ts'
import { err } from '../../lib/result.ts'
import { isUnreachable, unavailable } from '../unavailable.ts'
import type { LookUp } from '../validate.ts'
import { Breaker, type BreakerState, type Probe } from './breaker.ts'
import { Slots } from './slots.ts'

/** For whom a service is asked about a token, and by when. */
interface GuardedCall {
  /** The user for whom the token was validated before; `undefined` for a new token. */
  readonly knownUser: string | undefined
  /** When all of it, waiting included, must have ended, in epoch milliseconds. */
  readonly deadlineMs: number
  readonly ctx: ExecutionCtx
}

interface GuardDeps {
  readonly clock: Clock
  /** `KEYSTONE_MAX_CONCURRENT`. */
  readonly maxConcurrent: number
  /** `KEYSTONE_TIMEOUT_MS`. */
  readonly timeoutMs: number
  /** The least time that a look-up needs: with less of it left the service is not asked. */
  readonly minLookUpMs: number
  readonly probe: Probe
}

/** The slots and the breaker in front of a service that is asked about tokens. */
export class Guard {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #minLookUpMs: number
  readonly #slots: Slots
  readonly #breaker: Breaker

  constructor({ clock, maxConcurrent, timeoutMs, minLookUpMs, probe }: GuardDeps) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#minLookUpMs = minLookUpMs
    this.#slots = new Slots(clock, maxConcurrent)
    this.#breaker = new Breaker(clock, timeoutMs, probe)
  }

  get breakerState(): BreakerState {
    return this.#breaker.state
  }

  /** What `ask` finds. A look-up that is not made takes no request and is `unavailable`. Ends at the deadline, as `ask` must. */
  async lookUp<T>({ knownUser, deadlineMs, ctx }: GuardedCall, ask: () => Promise<LookUp<T>>): Promise<LookUp<T>> {
    if (this.#breaker.state === 'open') return refuse('breaker_open')
    const release = await this.#slots.acquire(knownUser === undefined ? 'new' : 'known', deadlineMs)
    if (release === undefined) return refuse('busy')
    try {
      // The breaker may have opened meanwhile.
      if (!(await this.#breaker.admits(ctx, deadlineMs))) return refuse('breaker_open')
      const leftMs = deadlineMs - this.#clock.now()
      // After so long a wait for a slot an answer cannot be expected in time, which says nothing about the service.
      if (leftMs < this.#minLookUpMs) return refuse('busy')
      const found = await ask()
      if (found.calls > 0) this.#noteOutcome(found, leftMs, knownUser, ctx)
      return found
    } finally {
      release()
    }
  }

  #noteOutcome({ result }: LookUp<unknown>, leftMs: number, knownUser: string | undefined, ctx: ExecutionCtx): void {
    const error = result.ok || result.error.reason !== 'unavailable' ? undefined : result.error
    // A shorter time than KEYSTONE_TIMEOUT_MS is no failure of the service either, though no answer came.
    if (error?.cause === 'timeout' && leftMs < this.#timeoutMs) return
    if (error !== undefined && isUnreachable(error)) this.#breaker.failed(knownUser, ctx)
    else this.#breaker.answered(knownUser)
  }
}

function refuse(cause: 'breaker_open' | 'busy'): LookUp<never> {
  return { result: err(unavailable(cause)), calls: 0 }
}
