import { type Clock, type ExecutionCtx, settleBy } from './clock.ts'

/** One piece of work that several requests may want at the same time. */
interface SharedCall<T> {
  /** Requests with the same key share one call. */
  readonly key: string
  /** When the request that asks must have an answer, in epoch milliseconds. */
  readonly deadlineMs: number
  /** Keeps the call alive when the request that started it goes away. */
  readonly ctx: ExecutionCtx
  /** Never rejects. A call that has not settled at its deadline is started again by the next request. */
  readonly call: (deadlineMs: number) => Promise<T>
}

/** How long past its deadline a call's own "no answer in time" is waited for, so that all requests share it. */
const GRACE_MS = 250

/**
 * Runs one call for all requests that want the same at the same time.
 *
 * In Workers a promise may cross requests only as plain data, and a promise whose request was cancelled never settles.
 * So each request waits on a timer of its own, and starts the call again when the deadline of the first one has passed.
 */
export class SingleFlight<T> {
  readonly #calls = new Map<string, { readonly promise: Promise<T>; readonly deadlineMs: number }>()
  readonly #clock: Clock
  readonly #maxCalls: number

  /** More than `maxCalls` calls at once are not shared, so that the map stays bounded. */
  constructor(clock: Clock, maxCalls: number) {
    this.#clock = clock
    this.#maxCalls = maxCalls
  }

  /** The call's value, and whether this request started the call; `undefined` at the deadline. */
  async run(shared: SharedCall<T>): Promise<{ readonly value: T; readonly led: boolean } | undefined> {
    const { key, deadlineMs, call } = shared
    for (;;) {
      const nowMs = this.#clock.now()
      if (nowMs >= deadlineMs) return undefined
      const running = this.#calls.get(key)
      const runningUntilMs = running === undefined ? 0 : running.deadlineMs + GRACE_MS
      if (running === undefined || nowMs >= runningUntilMs) {
        const value = await (this.#makesSpaceFor(key) ? this.#start(shared) : call(deadlineMs))
        return { value, led: true }
      }
      const settling = running.promise.then((value) => ({ value, led: false }))
      const settled = await settleBy(this.#clock, Math.min(deadlineMs, runningUntilMs), settling, () => undefined)
      if (settled !== undefined) return settled
    }
  }

  #start({ key, deadlineMs, ctx, call }: SharedCall<T>): Promise<T> {
    const promise = call(deadlineMs).then((value) => {
      if (this.#calls.get(key) === running) this.#calls.delete(key)
      return value
    })
    const running = { promise, deadlineMs }
    // Deleted first, so that the map stays in the order in which calls started.
    this.#calls.delete(key)
    this.#calls.set(key, running)
    ctx.waitUntil(promise)
    return promise
  }

  /** Whether the map can take a call with this key. Drops calls whose request was cancelled, oldest first. */
  #makesSpaceFor(key: string): boolean {
    if (this.#calls.has(key)) return true
    for (const [oldest, { deadlineMs }] of this.#calls) {
      if (this.#calls.size < this.#maxCalls || deadlineMs + GRACE_MS > this.#clock.now()) break
      this.#calls.delete(oldest)
    }
    return this.#calls.size < this.#maxCalls
  }
}
