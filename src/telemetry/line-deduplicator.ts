import { createBoundedMap } from '../lib/bounded-map.ts'

/**
 * Says whether a line is to be written now, and with how many `repeats`: lines equal to it that have gone unwritten
 * since the last written one of the same subject. `undefined`: it repeats that one, and is counted instead.
 */
export type HoldBack<Line> = (subject: string, line: Line) => number | undefined

export interface HoldBackDeps<Line> {
  readonly now: () => number
  /** How long a repeat is held back; 0 holds nothing back. */
  readonly seconds: number
  readonly repeats: (line: Line, last: Line) => boolean
  /** Writes a line that was held back, when its subject changes or is forgotten. */
  readonly write: (line: Line, repeats: number) => void
}

const MAX_SUBJECTS = 10_000
/** All lines together, as JSON; whoever asks for a review chooses how long the user's name in it is. */
const MAX_CHARACTERS = 8_000_000

/**
 * A log line costs more than a warm review. Every line is accounted for: written ones and their `repeats` add up to
 * what happened, also when a subject changes or is forgotten to make room.
 */
export function createHoldBack<Line>({ now, seconds, repeats, write }: HoldBackDeps<Line>): HoldBack<Line> {
  interface Last {
    line: Line
    writtenAtMs: number
    held: number
  }
  const flush = ({ line, held }: Last): void => {
    // The line itself stands for one of those held back.
    if (held > 0) write(line, held - 1)
  }
  const last = createBoundedMap<string, Last>({
    maxEntries: MAX_SUBJECTS,
    maxWeight: MAX_CHARACTERS,
    onEvict: (_subject, evicted) => flush(evicted),
  })

  return (subject, line) => {
    if (seconds === 0) return 0
    const previous = last.get(subject)
    const isRepeat = previous !== undefined && repeats(line, previous.line)
    if (isRepeat && now() - previous.writtenAtMs < seconds * 1000) {
      previous.held += 1
      previous.line = line
      return undefined
    }
    if (previous !== undefined && !isRepeat) flush(previous)
    last.set(subject, { line, writtenAtMs: now(), held: 0 }, JSON.stringify(line).length)
    return isRepeat ? previous.held : 0
  }
}
