import { type StartTimer, withinTime } from './clock.ts'

/** One call for all who want the same at the same time. */
export interface SingleFlight<T> {
  /**
   * Runs `call` unless it is already running for this key; then waits for that one. `undefined` when the time is up
   * first. `call` must settle within the milliseconds it is given and must not reject.
   */
  run(flight: {
    key: string
    budgetMs: number
    /** Keeps the call alive when the request that started it goes away (`ctx.waitUntil`). */
    waitUntil: (promise: Promise<unknown>) => void
    call: (budgetMs: number) => Promise<T>
  }): Promise<{ value: T; led: boolean } | undefined>
}

export interface SingleFlightDeps {
  readonly now: () => number
  readonly startTimer: StartTimer
  /** More flights than this at once are made without sharing, so that the map stays bounded. */
  readonly maxFlights: number
}

/** How long past its end a leader's own "no answer in time" is waited for, so that followers share that as well. */
const GRACE_MS = 250

/**
 * In Workers a promise may cross requests only as plain data, and one whose request was cancelled never settles. So
 * each follower waits on a timer of its own, at most until the leader's time is up, and then leads a flight itself.
 */
export function createSingleFlight<T>({ now, startTimer, maxFlights }: SingleFlightDeps): SingleFlight<T> {
  const flights = new Map<string, { promise: Promise<T>; endsAtMs: number }>()

  return {
    async run({ key, budgetMs, waitUntil, call }) {
      const endsAtMs = now() + budgetMs
      for (;;) {
        const leftMs = endsAtMs - now()
        if (leftMs <= 0) return undefined
        const flying = flights.get(key)
        const flyingMs = flying === undefined ? 0 : flying.endsAtMs + GRACE_MS - now()
        if (flying !== undefined && flyingMs > 0) {
          const settled = await waitFor(flying.promise, Math.min(leftMs, flyingMs))
          if (settled !== undefined) return { value: settled.value, led: false }
          continue
        }
        // Nobody is on the way, or the leader is gone for good: whoever comes here first replaces it.
        return { value: await lead(key, leftMs, waitUntil, call), led: true }
      }
    },
  }

  async function lead(
    key: string,
    leftMs: number,
    waitUntil: (promise: Promise<unknown>) => void,
    call: (budgetMs: number) => Promise<T>,
  ): Promise<T> {
    if (!flights.has(key) && !hasRoom()) return call(leftMs)
    const promise = call(leftMs).then((value) => {
      if (flights.get(key) === flight) flights.delete(key)
      return value
    })
    const flight = { promise, endsAtMs: now() + leftMs }
    // Behind the others, also where it replaces one that is gone.
    flights.delete(key)
    flights.set(key, flight)
    waitUntil(promise)
    return promise
  }

  /** Flights that never settled are in the way only when there is no room; the oldest come first. */
  function hasRoom(): boolean {
    for (const [key, { endsAtMs }] of flights) {
      if (flights.size < maxFlights || endsAtMs + GRACE_MS > now()) break
      flights.delete(key)
    }
    return flights.size < maxFlights
  }

  function waitFor(promise: Promise<T>, ms: number): Promise<{ value: T } | undefined> {
    const landing = () => promise.then((value) => ({ value }))
    return withinTime<{ value: T } | undefined>(ms, startTimer, landing, () => undefined)
  }
}
