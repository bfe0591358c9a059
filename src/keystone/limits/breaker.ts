import { type Clock, type ExecutionCtx, settleBy } from '../../lib/clock.ts'
import { SingleFlight } from '../../lib/single-flight.ts'

/** `open`: the service is not asked. `half-open`: the next look-up is preceded by a probe. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Sends the service one request without a token: whether it answers. Never rejects; ends at `deadlineMs`. */
export type Probe = (deadlineMs: number) => Promise<boolean>

const FAILURES = 5
/** Look-ups of one user may fail because of that user's token. */
const FAILED_USERS = 2
const FIRST_OPEN_MS = 5_000
const MAX_OPEN_MS = 30_000

/**
 * Stops look-ups while Keystone does not answer, so that nobody waits in vain. Only what a stranger cannot influence feeds
 * the breaker: look-ups of known tokens, and probes. Opens after 5 failures in a row of 2 users, or after a failed probe,
 * for 5 s, and for twice as long, up to 30 s, each time that the probe behind fails.
 */
export class Breaker {
  readonly #clock: Clock
  /** How long a probe may take: `KEYSTONE_TIMEOUT_MS`. */
  readonly #timeoutMs: number
  readonly #send: Probe
  readonly #probes: SingleFlight<boolean>
  /** Whose known tokens the last failures in a row were of. */
  #failed: readonly string[] = []
  /** Failures of new tokens in a row, since the last probe. */
  #suspicions = 0
  #probedAtMs = Number.NEGATIVE_INFINITY
  #openMs = FIRST_OPEN_MS
  /** `undefined` while closed. */
  #openUntilMs: number | undefined

  constructor(clock: Clock, timeoutMs: number, probe: Probe) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#send = probe
    this.#probes = new SingleFlight(clock, 1)
  }

  get state(): BreakerState {
    if (this.#openUntilMs === undefined) return 'closed'
    return this.#clock.now() < this.#openUntilMs ? 'open' : 'half-open'
  }

  /** Whether a look-up may be made before `deadlineMs`; half-open, the outcome of a probe decides, which all look-ups share. */
  async admits(ctx: ExecutionCtx, deadlineMs: number): Promise<boolean> {
    if (this.state !== 'half-open') return this.state === 'closed'
    return settleBy(this.#clock, deadlineMs, this.#probe(ctx), () => false)
  }

  /** The service answered a look-up, whatever the answer; of a new token (`undefined`) that is too little to close. */
  answered(knownUser: string | undefined): void {
    this.#suspicions = 0
    if (knownUser !== undefined) this.#close()
  }

  /**
   * The service was unreachable for a token of this user, or for a new token (`undefined`). After 5 new tokens in a row a
   * probe finds out why, at most one probe in 5 s.
   */
  failed(knownUser: string | undefined, ctx: ExecutionCtx): void {
    if (knownUser !== undefined) {
      this.#failed = [...this.#failed, knownUser].slice(-FAILURES)
      const isDown = this.#failed.length === FAILURES && new Set(this.#failed).size >= FAILED_USERS
      if (isDown && this.state === 'closed') this.#open()
      return
    }
    this.#suspicions += 1
    const isDue = this.#suspicions >= FAILURES && this.#clock.now() - this.#probedAtMs >= FIRST_OPEN_MS
    if (isDue && this.state === 'closed') ctx.waitUntil(this.#probe(ctx))
  }

  async #probe(ctx: ExecutionCtx): Promise<boolean> {
    const call = async (deadlineMs: number): Promise<boolean> => {
      this.#probedAtMs = this.#clock.now()
      this.#suspicions = 0
      const answers = await this.#send(deadlineMs)
      if (answers) this.#close()
      else this.#open()
      return answers
    }
    const shared = await this.#probes.run({ key: '', deadlineMs: this.#clock.now() + this.#timeoutMs, ctx, call })
    return shared?.value ?? false
  }

  #close(): void {
    this.#failed = []
    this.#openMs = FIRST_OPEN_MS
    this.#openUntilMs = undefined
  }

  #open(): void {
    this.#failed = []
    this.#openUntilMs = this.#clock.now() + this.#openMs
    this.#openMs = Math.min(2 * this.#openMs, MAX_OPEN_MS)
  }
}
