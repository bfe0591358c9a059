import { type Clock, settleBy } from '../../lib/clock.ts'

/** Whose token is looked up: one that a sealed identity is known of, or one that nobody has seen before. */
export type LookUpKind = 'known' | 'new'

/** Lets only so many look-ups go to Keystone at once. */
export interface LookUpGate {
  /**
   * Waits for a place, at most `waitMs`. Returns what gives the place back, or `undefined` when none came free or the
   * queue is full. A place is free again after `leaseMs` in any case, as a cancelled request never gives one back.
   * One `user`'s known tokens get one place and a small part of the queue, and users take turns: nobody is kept out by
   * another who has many. Who has waited in vain for a place of his own gets another one, if it is not the last: his
   * other tokens say nothing about this one.
   */
  enter(kind: LookUpKind, waitMs: number, leaseMs: number, user?: string): Promise<(() => void) | undefined>
}

interface Place {
  readonly kind: LookUpKind
  readonly user: string | undefined
  readonly untilMs: number
}

interface Waiting {
  readonly take: (leave: () => void) => void
  readonly leaseMs: number
  readonly user: string | undefined
  /** Whoever waits longer was cancelled, and would never give a place back. */
  readonly untilMs: number
}

/** Of an isolate. Known users have two places that no flood of new tokens can take, and go before those in the queue. */
const PLACES = { known: 4, new: 2, user: 1 } as const
/** New ones are gone through in three seconds, at 50 ms a request; known ones may wait for as long as Keystone may take. */
const MAX_WAITING = { known: 1024, new: 64 } as const
const MAX_WAITING_OF_USER = 64

export function createLookUpGate(clock: Clock): LookUpGate {
  const { now } = clock
  const places = new Set<Place>()
  const queues = { known: new Set<Waiting>(), new: new Set<Waiting>() }
  /** When each user last got a place, in turns: of those who wait or are inside. */
  const turns = new Map<string | undefined, number>()
  let turn = 0

  function dropLapsed(): void {
    for (const place of places) if (now() >= place.untilMs) places.delete(place)
  }

  function isFree(kind: LookUpKind, user: string | undefined): boolean {
    dropLapsed()
    if (places.size >= PLACES.known || countOf(places, user) >= PLACES.user) return false
    return kind === 'known' || [...places].filter((place) => place.kind === 'new').length < PLACES.new
  }

  function take(kind: LookUpKind, leaseMs: number, user: string | undefined): () => void {
    const place = { kind, user, untilMs: now() + leaseMs }
    places.add(place)
    turn += 1
    turns.set(user, turn)
    return () => {
      places.delete(place)
      callNext('known')
      callNext('new')
    }
  }

  /** Afterwards nobody of this kind waits who could enter. */
  function callNext(kind: LookUpKind): void {
    for (let next = findNext(kind); next !== undefined; next = findNext(kind)) {
      queues[kind].delete(next)
      next.take(take(kind, next.leaseMs, next.user))
    }
    if (queues.known.size === 0) forgetTurns()
  }

  /** Where nobody waits, only the turns of those inside will matter. */
  function forgetTurns(): void {
    for (const user of turns.keys()) if (countOf(places, user) === 0) turns.delete(user)
  }

  /** Of those who could enter, the first of the user whose last turn is longest ago. */
  function findNext(kind: LookUpKind): Waiting | undefined {
    let next: Waiting | undefined
    for (const waiting of queues[kind]) {
      if (now() > waiting.untilMs) queues[kind].delete(waiting)
      else if (turnOf(waiting) < turnOf(next) && isFree(kind, waiting.user)) next = waiting
    }
    return next
  }

  function turnOf(waiting: Waiting | undefined): number {
    return waiting === undefined ? Number.POSITIVE_INFINITY : (turns.get(waiting.user) ?? 0)
  }

  function wait(
    kind: LookUpKind,
    waitMs: number,
    leaseMs: number,
    user: string | undefined,
  ): Promise<(() => void) | undefined> {
    const called = Promise.withResolvers<() => void>()
    let given: (() => void) | undefined
    const waiting: Waiting = {
      leaseMs,
      user,
      untilMs: now() + waitMs,
      take(leave) {
        given = leave
        called.resolve(leave)
      },
    }
    queues[kind].add(waiting)
    const giveUp = (): typeof given => {
      queues[kind].delete(waiting)
      // Whoever was called in the very moment in which the time was up has a place.
      return given ?? (isOnlyKeptOutByOwn(kind) ? take(kind, leaseMs, user) : undefined)
    }
    return settleBy<typeof given>(clock, waiting.untilMs, () => called.promise, giveUp)
  }

  function isOnlyKeptOutByOwn(kind: LookUpKind): boolean {
    dropLapsed()
    return kind === 'known' && places.size < PLACES.known - 1
  }

  return {
    async enter(kind, waitMs, leaseMs, user) {
      callNext('known')
      callNext(kind)
      if (isFree(kind, user)) return take(kind, leaseMs, user)
      const isFull = queues[kind].size >= MAX_WAITING[kind] || countOf(queues[kind], user) >= MAX_WAITING_OF_USER
      return isFull ? undefined : wait(kind, waitMs, leaseMs, user)
    },
  }
}

/** How many are the user's; none are nobody's. */
function countOf(all: ReadonlySet<{ readonly user: string | undefined }>, user: string | undefined): number {
  return user === undefined ? 0 : [...all].filter((one) => one.user === user).length
}
