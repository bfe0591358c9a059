/** `open`: nobody asks. `half-open`: the next look-up asks, as a probe. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Stops asking a Keystone that fails or is slow, so that it can recover and nobody waits for it in vain. */
export interface Breaker {
  state(): BreakerState
  /** Whether a look-up may start now. In `half-open` one may, and the rest not until it ends or its time is up. */
  admit(): boolean
  /** A look-up that was admitted was answered in time, whatever the answer. */
  succeeded(): void
  /** A look-up that was admitted found Keystone unreachable or slow. `user` is whose token it was. */
  failed(user: string): void
}

export interface BreakerDeps {
  readonly now: () => number
  /** Failures of fewer users than this do not open it, however many: one user's token may fail by itself. */
  readonly minUsers: number
  /** How long a look-up takes at most. */
  readonly lookUpMs: number
}

const FAILURES = 5
const FIRST_OPEN_MS = 5_000
const MAX_OPEN_MS = 30_000

/** A breaker that is closed at first. It opens for 5 s, and twice as long, up to 30 s, each time that a probe fails. */
export function createBreaker({ now, minUsers, lookUpMs }: BreakerDeps): Breaker {
  let failures = 0
  const users = new Set<string>()
  let openMs = FIRST_OPEN_MS
  /** `undefined` while closed. */
  let opensAgainAtMs: number | undefined
  /** A probe whose request was cancelled never reports. */
  let probeEndsAtMs = Number.NEGATIVE_INFINITY

  function open(): void {
    opensAgainAtMs = now() + openMs
    openMs = Math.min(2 * openMs, MAX_OPEN_MS)
    probeEndsAtMs = Number.NEGATIVE_INFINITY
  }

  function state(): BreakerState {
    if (opensAgainAtMs === undefined) return 'closed'
    return now() < opensAgainAtMs || now() < probeEndsAtMs ? 'open' : 'half-open'
  }

  return {
    state,
    admit() {
      const current = state()
      if (current === 'half-open') probeEndsAtMs = now() + lookUpMs
      return current !== 'open'
    },
    succeeded() {
      failures = 0
      users.clear()
      openMs = FIRST_OPEN_MS
      opensAgainAtMs = undefined
      probeEndsAtMs = Number.NEGATIVE_INFINITY
    },
    failed(user) {
      if (opensAgainAtMs !== undefined) {
        // Of the look-ups that were on their way when it opened only the probe counts.
        if (now() <= probeEndsAtMs) open()
        return
      }
      failures += 1
      if (users.size < minUsers) users.add(user)
      if (failures >= FAILURES && users.size >= minUsers) open()
    },
  }
}
