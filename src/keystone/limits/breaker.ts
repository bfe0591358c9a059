import { type Clock, type ExecutionCtx, settleBy } from '../../lib/clock.ts'
import { SingleFlight } from '../../lib/single-flight.ts'

/** `open`: Keystone is not asked. `half-open`: the next look-up is preceded by a probe. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Sends Keystone one request without a token: whether Keystone answers. Never rejects; ends at `deadlineMs`. */
type Probe = (deadlineMs: number) => Promise<boolean>

interface BreakerDeps {
  readonly clock: Clock
  readonly probe: Probe
  /** How long a probe may take: `KEYSTONE_TIMEOUT_MS`. */
  readonly timeoutMs: number
}

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
  readonly #deps: BreakerDeps
  readonly #probes: SingleFlight<boolean>
  #failures = 0
  readonly #failedUsers = new Set<string>()
  #openMs = FIRST_OPEN_MS
  /** `undefined` while closed. */
  #openUntilMs: number | undefined
  /** Failures of new tokens in a row, since the last probe. */
  #suspicions = 0
  #probedAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: BreakerDeps) {
    this.#deps = deps
    this.#probes = new SingleFlight(deps.clock, 1)
  }

  get state(): BreakerState {
    if (this.#openUntilMs === undefined) return 'closed'
    return this.#deps.clock.now() < this.#openUntilMs ? 'open' : 'half-open'
  }

  /** Whether a look-up may be made before `deadlineMs`; half-open, the outcome of a probe decides, which all look-ups share. */
  async admits(ctx: ExecutionCtx, deadlineMs: number): Promise<boolean> {
    if (this.state !== 'half-open') return this.state === 'closed'
    return settleBy(
      this.#deps.clock,
      deadlineMs,
      () => this.#probe(ctx),
      () => false,
    )
  }

  /** Keystone answered a look-up of a known token, whatever the answer. */
  succeeded(): void {
    this.#failures = 0
    this.#failedUsers.clear()
    this.#openMs = FIRST_OPEN_MS
    this.#openUntilMs = undefined
  }

  /** Keystone was unreachable for a known token of this user. */
  failed(userId: string): void {
    this.#failures += 1
    if (this.#failedUsers.size < FAILED_USERS) this.#failedUsers.add(userId)
    if (this.state === 'closed' && this.#failures >= FAILURES && this.#failedUsers.size >= FAILED_USERS) this.#open()
  }

  /** Keystone answered a look-up of a new token, which says too little to close the breaker. */
  answeredNew(): void {
    this.#suspicions = 0
  }

  /** Keystone was unreachable for a new token. After 5 of them in a row a probe finds out why, at most one probe in 5 s. */
  suspect(ctx: ExecutionCtx): void {
    this.#suspicions += 1
    const isDue = this.#suspicions >= FAILURES && this.#deps.clock.now() - this.#probedAtMs >= FIRST_OPEN_MS
    if (!isDue || this.state !== 'closed') return
    ctx.waitUntil(this.#probe(ctx))
  }

  async #probe(ctx: ExecutionCtx): Promise<boolean> {
    const { clock, probe, timeoutMs } = this.#deps
    const call = async (deadlineMs: number): Promise<boolean> => {
      this.#probedAtMs = clock.now()
      this.#suspicions = 0
      const answers = await probe(deadlineMs)
      if (answers) this.succeeded()
      else this.#open()
      return answers
    }
    const shared = await this.#probes.run({ key: '', deadlineMs: clock.now() + timeoutMs, ctx, call })
    return shared?.value ?? false
  }

  #open(): void {
    this.#openUntilMs = this.#deps.clock.now() + this.#openMs
    this.#openMs = Math.min(2 * this.#openMs, MAX_OPEN_MS)
    this.#failures = 0
    this.#failedUsers.clear()
  }
}
