import { createDeadline, type StartTimer } from '../timer.ts'

/** Whose token is looked up: one that a sealed identity is known of, or one that nobody has seen before. */
export type LookUpKind = 'known' | 'new'

/** Lets only so many look-ups go to Keystone at once. */
export interface LookUpGate {
  /**
   * Waits for a place, at most `waitMs`. Returns what gives the place back, or `undefined` when none came free or the
   * queue is full. A place is free again after `leaseMs` in any case, as a cancelled request never gives one back.
   */
  enter(kind: LookUpKind, waitMs: number, leaseMs: number): Promise<(() => void) | undefined>
}

interface Place {
  readonly kind: LookUpKind
  readonly untilMs: number
}

interface Waiting {
  readonly take: (leave: () => void) => void
  readonly leaseMs: number
}

/** Of an isolate. Known users have one place that no flood of new tokens can take, and go before those in the queue. */
const PLACES = { known: 4, new: 3 } as const
/** Each kind's. At 50 ms a request it is gone through in about a second. */
const MAX_WAITING = 64

export function createLookUpGate({ now, startTimer }: { now: () => number; startTimer: StartTimer }): LookUpGate {
  const places = new Set<Place>()
  const queues = { known: new Set<Waiting>(), new: new Set<Waiting>() }

  function isFree(kind: LookUpKind): boolean {
    for (const place of places) if (now() >= place.untilMs) places.delete(place)
    if (places.size >= PLACES.known) return false
    return kind === 'known' || [...places].filter((place) => place.kind === 'new').length < PLACES.new
  }

  function take(kind: LookUpKind, leaseMs: number): () => void {
    const place = { kind, untilMs: now() + leaseMs }
    places.add(place)
    return () => {
      places.delete(place)
      callNext('known')
      callNext('new')
    }
  }

  function callNext(kind: LookUpKind): void {
    for (const waiting of queues[kind]) {
      if (!isFree(kind)) return
      queues[kind].delete(waiting)
      waiting.take(take(kind, waiting.leaseMs))
    }
  }

  async function wait(kind: LookUpKind, waitMs: number, leaseMs: number): Promise<(() => void) | undefined> {
    const called = Promise.withResolvers<() => void>()
    let given: (() => void) | undefined
    const waiting: Waiting = {
      leaseMs,
      take(leave) {
        given = leave
        called.resolve(leave)
      },
    }
    queues[kind].add(waiting)
    const deadline = createDeadline(waitMs, startTimer)
    try {
      return await deadline.race<(() => void) | undefined>(called.promise, () => {
        queues[kind].delete(waiting)
        // Whoever was called in the very moment in which the time was up has a place.
        return given
      })
    } finally {
      deadline.clear()
    }
  }

  return {
    async enter(kind, waitMs, leaseMs) {
      callNext('known')
      callNext(kind)
      if (queues[kind].size === 0 && isFree(kind)) return take(kind, leaseMs)
      return queues[kind].size < MAX_WAITING ? wait(kind, waitMs, leaseMs) : undefined
    },
  }
}
