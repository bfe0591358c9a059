/** Time as an effect: tests freeze it. Milliseconds since the epoch, and for durations. */
export interface Clock {
  readonly now: () => number
  /** Calls back once after `ms` milliseconds, unless the returned function is called before. */
  readonly startTimer: (ms: number, callback: () => void) => () => void
}

/** What a request gives to work that goes on behind its answer: Hono's `c.executionCtx`. */
export interface ExecutionCtx {
  waitUntil(promise: Promise<unknown>): void
}

/** A limit on how long work may take, with the signal that aborts the work. */
interface TimeLimit {
  readonly signal: AbortSignal
  /** The work's outcome, or `late()` when the time is up first, whether or not the work heeds the signal. */
  race<T>(work: Promise<T>, late: () => T): Promise<T>
  /** Stops the timer: a timer that runs holds its request open. */
  clear(): void
}

/** Starts a time limit that ends at `deadlineMs`, by the clock. */
export function createTimeLimit(clock: Clock, deadlineMs: number): TimeLimit {
  const controller = new AbortController()
  const { signal } = controller
  // `Promise.withResolvers` is absent in Node 20, which runs the command lines.
  const timeUp = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const clear = clock.startTimer(deadlineMs - clock.now(), () => controller.abort())
  return {
    signal,
    clear,
    race(work, late) {
      // The work may still fail after its time, when nothing listens any more.
      work.catch(() => undefined)
      return Promise.race([work, timeUp.then(late)])
    },
  }
}

/** The outcome of the work, or `late()` at `deadlineMs`. Rejects as the work does. */
export async function settleBy<T, L>(
  clock: Clock,
  deadlineMs: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> {
  const limit = createTimeLimit(clock, deadlineMs)
  try {
    return await limit.race<T | L>(work, late)
  } finally {
    limit.clear()
  }
}
