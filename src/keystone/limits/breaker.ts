/** `open`: nobody asks. `half-open`: the next look-up asks, as a probe. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Stops asking a Keystone that fails or is slow, so that it can recover and nobody waits for it in vain. */
export interface Breaker {
  state(): BreakerState
  /**
   * Whether a look-up of this user's token may start now. In `half-open` one may, and the rest not until it ends or its
   * time is up. Whose probe has failed leaves the next one to others for a while.
   */
  admit(user: string): boolean
  /** A look-up that was admitted was answered in time, whatever the answer. */
  succeeded(): void
  /** A look-up that was admitted found Keystone unreachable or slow. `user` is whose token it was. */
  failed(user: string): void
}

export interface BreakerDeps {
  readonly now: () => number
  /** Failures of fewer users than this neither open it nor keep it open: one user's tokens may fail by themselves. */
  readonly minUsers: number
  /** How long a look-up takes at most. */
  readonly lookUpMs: number
}

const FAILURES = 5
const FIRST_OPEN_MS = 5_000
const MAX_OPEN_MS = 30_000

/** A breaker that is closed at first. It opens for 5 s, and twice as long, up to 30 s, each time that probes fail. */
export function createBreaker({ now, minUsers, lookUpMs }: BreakerDeps): Breaker {
  let failures = 0
  /** Whose look-ups failed since it was closed or, half-open, whose probes. */
  const users = new Set<string>()
  let heldOffUntilMs = Number.NEGATIVE_INFINITY
  let openMs = FIRST_OPEN_MS
  /** `undefined` while closed. */
  let opensAgainAtMs: number | undefined
  /** A probe whose request was cancelled never reports. */
  let probeEndsAtMs = Number.NEGATIVE_INFINITY

  function open(): void {
    opensAgainAtMs = takeOpenMs()
    users.clear()
  }

  /** When the next pause ends; the one after it is longer. */
  function takeOpenMs(): number {
    const endsAtMs = now() + openMs
    openMs = Math.min(2 * openMs, MAX_OPEN_MS)
    return endsAtMs
  }

  function probeFailed(user: string): void {
    probeEndsAtMs = Number.NEGATIVE_INFINITY
    users.add(user)
    if (users.size >= minUsers) open()
    else heldOffUntilMs = takeOpenMs()
  }

  function state(): BreakerState {
    if (opensAgainAtMs === undefined) return 'closed'
    return now() < opensAgainAtMs || now() < probeEndsAtMs ? 'open' : 'half-open'
  }

  return {
    state,
    admit(user) {
      const current = state()
      if (current !== 'half-open') return current === 'closed'
      if (users.has(user) && now() < heldOffUntilMs) return false
      probeEndsAtMs = now() + lookUpMs
      return true
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
        if (now() <= probeEndsAtMs) probeFailed(user)
        return
      }
      failures += 1
      if (users.size < minUsers) users.add(user)
      if (failures >= FAILURES && users.size >= minUsers) open()
    },
  }
}
