import { type BoundedMap, createBoundedMap } from '../lib/bounded-map.ts'
import type { Clock } from '../lib/clock.ts'

interface LineDeduplicatorDeps<Line> {
  readonly clock: Pick<Clock, 'now'>
  /** How long an equal line is held back; 0 holds nothing back. */
  readonly seconds: number
  readonly isRepeat: (line: Line, last: Line) => boolean
  /** Writes a line that was held back, when another line of its subject follows or its subject is evicted. */
  readonly write: (line: Line, repeats: number) => void
}

interface LastLine<Line> {
  line: Line
  readonly writtenAtMs: number
  /** Lines since then that were not written. */
  held: number
}

const MAX_SUBJECTS = 10_000
/** All lines together, as JSON: the sender of a review chooses how long the user name in its line is. */
const MAX_CHARACTERS = 8_000_000

/**
 * Holds back log lines that repeat the last one of the same subject, as a log line costs more than a warm review. Every
 * line is accounted for: written lines and their `repeats` add up to what happened, also when a subject is evicted.
 */
export class LineDeduplicator<Line> {
  readonly #deps: LineDeduplicatorDeps<Line>
  readonly #last: BoundedMap<string, LastLine<Line>>

  constructor(deps: LineDeduplicatorDeps<Line>) {
    this.#deps = deps
    this.#last = createBoundedMap({
      maxEntries: MAX_SUBJECTS,
      maxWeight: MAX_CHARACTERS,
      onEvict: (_subject, evicted) => this.#flush(evicted),
    })
  }

  /**
   * How many equal lines were held back since the last written one, if the line is to be written now; `undefined` if
   * the line is held back.
   */
  admit(subject: string, line: Line): number | undefined {
    const { clock, seconds, isRepeat } = this.#deps
    if (seconds === 0) return 0
    const previous = this.#last.get(subject)
    const repeats = previous !== undefined && isRepeat(line, previous.line)
    if (repeats && clock.now() - previous.writtenAtMs < seconds * 1000) {
      previous.held += 1
      previous.line = line
      return undefined
    }
    if (previous !== undefined && !repeats) this.#flush(previous)
    this.#last.set(subject, { line, writtenAtMs: clock.now(), held: 0 }, JSON.stringify(line).length)
    return repeats ? previous.held : 0
  }

  #flush({ line, held }: LastLine<Line>): void {
    // The written line itself stands for one of those that were held back.
    if (held > 0) this.#deps.write(line, held - 1)
  }
}
