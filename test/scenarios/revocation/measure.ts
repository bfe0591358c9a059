import type { FrozenClock } from '../../support/clock.ts'
import type { Ask } from './kube-apiserver.ts'

/** What was seen: the last request that passed and the first that did not, in milliseconds after the act. */
interface Lag {
  readonly passedMs: number
  readonly refusedMs: number
}

/** A moment short of a term's end: whatever is kept for the term is still kept. */
const MOMENT_MS = 1
const STEP_MS = 1000

/**
 * The worst case: a request a moment before each thing on the way ends, so that the next one remembers it from then on,
 * and nobody else who would make anything notice earlier. Then one request a second until the first that is refused.
 */
export async function measureWorst(
  clock: FrozenClock,
  ask: Ask,
  waits: readonly number[],
  actAtMs: number,
): Promise<Lag> {
  let passedMs = 0
  for (const seconds of waits) {
    clock.advance(Math.max(0, seconds * 1000 - MOMENT_MS))
    if ((await ask()) !== 'yes') return { passedMs, refusedMs: clock.now() - actAtMs }
    passedMs = clock.now() - actAtMs
  }
  clock.advance(MOMENT_MS * waits.length)
  return poll(clock, ask, actAtMs, passedMs)
}

/** One request a second from now on. @throws Error when none is refused within an hour */
export async function poll(clock: FrozenClock, ask: Ask, actAtMs: number, passedMs = 0): Promise<Lag> {
  let lastMs = passedMs
  while ((await ask()) === 'yes') {
    lastMs = clock.now() - actAtMs
    if (lastMs > 3_600_000) throw new Error('is never refused')
    clock.advance(STEP_MS)
  }
  return { passedMs: lastMs, refusedMs: clock.now() - actAtMs }
}

/** A lag for people: as an annotation, which `--reporter=verbose` shows. */
export function tell({ passedMs, refusedMs }: Lag): string {
  return `passed after ${passedMs} ms, refused after ${refusedMs} ms`
}
