import type { Clock } from '../../lib/clock.ts'

/** The time of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  startTimer(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}
