import { BoundedMap } from '../lib/bounded-map.ts'
import type { Clock } from '../lib/clock.ts'
import { escapeHiddenCharacters } from '../lib/hidden-characters.ts'

interface LineDeduplicatorDeps<Line, Extra> {
  readonly clock: Pick<Clock, 'now'>
  readonly log: (line: string) => void
  /** How long an equal line is held back; 0 holds nothing back. */
  readonly seconds: number
  readonly isRepeat: (line: Line, last: Line) => boolean
  /** The line as it is written, without `repeats`; `extra` is unknown for a line that was held back. */
  readonly toEntry: (line: Line, extra: Extra | undefined) => object
  /** Told how many lines a written one stands for. */
  readonly onWritten?: ((line: Line, count: number) => void) | undefined
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
export class LineDeduplicator<Line, Extra = undefined> {
  readonly #deps: LineDeduplicatorDeps<Line, Extra>
  readonly #last: BoundedMap<string, LastLine<Line>>

  constructor(deps: LineDeduplicatorDeps<Line, Extra>) {
    this.#deps = deps
    this.#last = new BoundedMap({
      maxEntries: MAX_SUBJECTS,
      maxWeight: MAX_CHARACTERS,
      onEvict: (_subject, evicted) => this.#flush(evicted),
    })
  }

  /** Writes the line, with how many equal ones were held back since the last written one, or holds it back. */
  add(subject: string, line: Line, readExtra?: () => Extra): void {
    const { clock, seconds, isRepeat } = this.#deps
    if (seconds === 0) {
      this.#write(line, 0, readExtra?.())
      return
    }
    const previous = this.#last.get(subject)
    const repeats = previous !== undefined && isRepeat(line, previous.line)
    if (repeats && clock.now() - previous.writtenAtMs < seconds * 1000) {
      previous.held += 1
      previous.line = line
      return
    }
    if (previous !== undefined && !repeats) this.#flush(previous)
    this.#last.set(subject, { line, writtenAtMs: clock.now(), held: 0 }, JSON.stringify(line).length)
    this.#write(line, repeats ? previous.held : 0, readExtra?.())
  }

  #flush({ line, held }: LastLine<Line>): void {
    // The written line itself stands for one of those that were held back.
    if (held > 0) this.#write(line, held - 1)
  }

  /**
   * JSON on one line. Names in it are other people's, so what a terminal acts on, or draws as something else than it is,
   * stands as an escape: a name can neither hide nor forge a part of a line.
   */
  #write(line: Line, repeats: number, extra?: Extra): void {
    const { log, toEntry, onWritten } = this.#deps
    log(escapeHiddenCharacters(JSON.stringify({ ...toEntry(line, extra), repeats })))
    onWritten?.(line, repeats + 1)
  }
}
