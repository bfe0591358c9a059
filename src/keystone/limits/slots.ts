import { type Clock, settleBy } from '../../lib/clock.ts'

/** The token of a look-up: `known` was validated before, `new` never was. */
export type TokenKind = 'known' | 'new'

/** A look-up that waits, or goes on. */
interface LookUp {
  readonly kind: TokenKind
  readonly deadlineMs: number
  readonly grant: (release: () => void) => void
}

/** Of each kind; bounds the memory that reviews take while they wait. */
const MAX_WAITING = 1_024
/** The part of the slots that look-ups of new tokens never get. */
const KEPT_FOR_KNOWN = 1 / 4

/** `max` look-ups go to a service at once. Others wait, first in first out, until their deadline. */
export class Slots {
  readonly #clock: Clock
  readonly #max: number
  readonly #held = new Set<LookUp>()
  readonly #waiting = new Set<LookUp>()

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /** What releases the slot; `undefined` where none was free until the deadline, or too many look-ups wait. */
  async acquire(kind: TokenKind, deadlineMs: number): Promise<(() => void) | undefined> {
    const granted = Promise.withResolvers<() => void>()
    const lookUp = { kind, deadlineMs, grant: granted.resolve }
    this.#waiting.add(lookUp)
    this.#grantFree()
    const isTooMany = countOf(this.#waiting, kind) > MAX_WAITING
    const release = isTooMany ? undefined : await settleBy(this.#clock, deadlineMs, granted.promise, () => undefined)
    this.#waiting.delete(lookUp)
    return release
  }

  #grantFree(): void {
    // The look-up of a cancelled request neither leaves the queue nor releases its slot.
    const nowMs = this.#clock.now()
    for (const one of this.#held) if (nowMs >= one.deadlineMs) this.#held.delete(one)
    for (const one of this.#waiting) if (nowMs >= one.deadlineMs) this.#waiting.delete(one)
    let freeForNew = this.#max - Math.floor(this.#max * KEPT_FOR_KNOWN) - countOf(this.#held, 'new')
    for (const next of this.#waiting) {
      if (this.#held.size >= this.#max) return
      if (next.kind === 'new' && freeForNew-- <= 0) continue
      this.#waiting.delete(next)
      this.#held.add(next)
      next.grant(() => {
        if (this.#held.delete(next)) this.#grantFree()
      })
    }
  }
}

function countOf(lookUps: ReadonlySet<LookUp>, kind: TokenKind): number {
  let count = 0
  for (const lookUp of lookUps) if (lookUp.kind === kind) count += 1
  return count
}
