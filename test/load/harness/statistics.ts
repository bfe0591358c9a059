/** The middle of a set of measurements, with how far they spread. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Throws for an empty list: there is no measurement then. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const [min, max] = [sorted.at(0), sorted.at(-1)]
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]]
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new Error('nothing was measured')
  }
  return { median: (low + high) / 2, min, max }
}

/** The value below which the share of all values lies; 0 for an empty list. The list is in ascending order. */
export function percentileOf(ascending: ArrayLike<number>, share: number): number {
  return ascending[Math.floor(ascending.length * share)] ?? 0
}

/** Adds one to the count of the key. */
export function countOne(counts: Record<string, number>, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1
}
