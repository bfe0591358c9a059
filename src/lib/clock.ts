/** Calls back once after `ms` milliseconds unless the returned function is called before. The effect behind every deadline. */
export type StartTimer = (ms: number, callback: () => void) => () => void

export interface Deadline {
  /** Aborts what is still under way when the time is up. */
  readonly signal: AbortSignal
  /** The work's outcome, or `late()` when the time is up first, whether or not the work heeds the signal. */
  race<T>(work: Promise<T>, late: () => T): Promise<T>
  /** Stops the timer; a request must not be held open by it. */
  clear(): void
  /** Ends what is still under way, as if the time were up. */
  end(): void
}

export function createDeadline(ms: number, startTimer: StartTimer): Deadline {
  const controller = new AbortController()
  const timeUp = Promise.withResolvers<void>()
  const expire = (): void => {
    timeUp.resolve()
    controller.abort()
  }
  const clear = startTimer(ms, expire)
  return {
    signal: controller.signal,
    clear,
    end() {
      clear()
      expire()
    },
    race(work, late) {
      // The loser of the race may still fail later, with nobody listening.
      work.catch(() => undefined)
      return Promise.race([work, timeUp.promise.then(late)])
    },
  }
}

/** The outcome of the work that `start` begins, or `late()` when that takes longer than `ms`. Rejects as the work does. */
export async function withinTime<T>(
  ms: number,
  startTimer: StartTimer,
  start: () => Promise<T>,
  late: () => T,
): Promise<T> {
  const deadline = createDeadline(ms, startTimer)
  try {
    return await deadline.race(start(), late)
  } finally {
    deadline.clear()
  }
}
