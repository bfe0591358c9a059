import type { Clock } from '../../src/lib/clock.ts'

/** Time that stands still until a test moves it; timers fire when it passes them. */
export interface FrozenClock extends Clock {
  advance(ms: number): void
  /** How many timers have neither fired nor been stopped. */
  pendingTimers(): number
  /** Milliseconds until the next of them fires; `undefined` when there is none. */
  untilNextTimer(): number | undefined
}

export const START_MS = Date.UTC(2026, 10, 22, 13, 0, 0)

export function createClock(startMs = START_MS): FrozenClock {
  let nowMs = startMs
  const timers = new Set<{ atMs: number; callback: () => void }>()
  return {
    now: () => nowMs,
    startTimer(ms, callback) {
      const timer = { atMs: nowMs + ms, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      nowMs += ms
      for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
        timers.delete(timer)
        timer.callback()
      }
    },
    pendingTimers: () => timers.size,
    untilNextTimer() {
      return timers.size === 0 ? undefined : Math.max(0, Math.min(...[...timers].map(({ atMs }) => atMs)) - nowMs)
    },
  }
}

/** Lets everything run that is not waiting for a timer or a test's own promise. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setTimeout(done, 0))
}
