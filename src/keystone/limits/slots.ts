import { type Clock, settleBy } from '../../lib/clock.ts'

/** The token of a look-up: `known` was validated before, `new` never was. */
export type TokenKind = 'known' | 'new'

/** A look-up that goes on, or waits. */
interface LookUp {
  readonly kind: TokenKind
  readonly deadlineMs: number
}

interface Waiting extends LookUp {
  readonly number: number
  readonly grant: (release: () => void) => void
}

/** Of each kind; bounds the memory that reviews take while they wait. */
const MAX_WAITING = 1_024
/** The part of the slots that look-ups of new tokens never get. */
const KEPT_FOR_KNOWN = 1 / 4

/** `max` look-ups go to Keystone at once. Others wait, first in first out, until their deadline. */
export class Slots {
  readonly #clock: Clock
  readonly #max: { readonly known: number; readonly new: number }
  readonly #held = new Set<LookUp>()
  readonly #waiting = { known: new Set<Waiting>(), new: new Set<Waiting>() }
  #arrived = 0

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = { known: max, new: max - Math.floor(max * KEPT_FOR_KNOWN) }
  }

  /** What releases the slot; `undefined` where none was free until the deadline, or too many look-ups wait. */
  async acquire(kind: TokenKind, deadlineMs: number): Promise<(() => void) | undefined> {
    this.#grantFree()
    if (this.#waiting[kind].size === 0 && this.#isFree(kind)) return this.#hold({ kind, deadlineMs })
    if (this.#waiting[kind].size >= MAX_WAITING) return undefined
    const granted = Promise.withResolvers<() => void>()
    this.#arrived += 1
    const waiting = { kind, deadlineMs, number: this.#arrived, grant: granted.resolve }
    this.#waiting[kind].add(waiting)
    const late = () => undefined
    const release = await settleBy<(() => void) | undefined>(this.#clock, deadlineMs, () => granted.promise, late)
    this.#waiting[kind].delete(waiting)
    return release
  }

  /** Counts a slot as free after its deadline: the look-up of a cancelled request never releases its slot. */
  #isFree(kind: TokenKind): boolean {
    const nowMs = this.#clock.now()
    for (const slot of this.#held) if (nowMs >= slot.deadlineMs) this.#held.delete(slot)
    if (this.#held.size >= this.#max.known) return false
    return kind === 'known' || [...this.#held].filter((slot) => slot.kind === 'new').length < this.#max.new
  }

  #hold(slot: LookUp): () => void {
    this.#held.add(slot)
    return () => {
      if (this.#held.delete(slot)) this.#grantFree()
    }
  }

  #grantFree(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting[next.kind].delete(next)
      next.grant(this.#hold(next))
    }
  }

  /** The look-up that waits longest, of those that a slot is free for. */
  #next(): Waiting | undefined {
    const heads = [this.#headOf('known'), this.#headOf('new')].filter((head) => head !== undefined)
    return heads.filter(({ kind }) => this.#isFree(kind)).sort((a, b) => a.number - b.number)[0]
  }

  #headOf(kind: TokenKind): Waiting | undefined {
    for (const waiting of this.#waiting[kind]) {
      if (this.#clock.now() < waiting.deadlineMs) return waiting
      this.#waiting[kind].delete(waiting)
    }
    return undefined
  }
}
