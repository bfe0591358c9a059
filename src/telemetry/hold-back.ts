import { createBoundedMap } from '../bounded-map.ts'

/** Writes a line unless it would repeat the last one of the same subject; repeats are counted instead. */
export type HoldBack<Line> = (subject: string, signature: string, line: Line) => void

export interface HoldBackDeps<Line> {
  readonly now: () => number
  /** How long a repeat is held back; 0 writes every line. */
  readonly seconds: number
  /** `repeats` is how many lines equal to this one have gone unwritten since the last written one. */
  readonly write: (line: Line, repeats: number) => void
}

const MAX_SUBJECTS = 10_000

/**
 * A log line costs more than a warm review. Every line is accounted for: written ones and their `repeats` add up to
 * what happened, also when a subject changes or is forgotten to make room.
 */
export function createHoldBack<Line>({ now, seconds, write }: HoldBackDeps<Line>): HoldBack<Line> {
  interface Last {
    line: Line
    signature: string
    writtenAtMs: number
    held: number
  }
  const flush = ({ line, held }: Last): void => {
    // The line itself stands for one of those held back.
    if (held > 0) write(line, held - 1)
  }
  const last = createBoundedMap<string, Last>({
    maxEntries: MAX_SUBJECTS,
    maxWeight: MAX_SUBJECTS,
    onEvict: (_subject, evicted) => flush(evicted),
  })

  return (subject, signature, line) => {
    if (seconds === 0) return write(line, 0)
    const previous = last.get(subject)
    if (previous?.signature === signature && now() - previous.writtenAtMs < seconds * 1000) {
      previous.held += 1
      previous.line = line
      return
    }
    if (previous !== undefined && previous.signature !== signature) {
      flush(previous)
      previous.held = 0
    }
    write(line, previous?.held ?? 0)
    last.set(subject, { line, signature, writtenAtMs: now(), held: 0 }, 1)
  }
}
