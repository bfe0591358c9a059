interface BoundedMapOptions<K, V> {
  readonly maxEntries: number
  /** Sum of all weights, in whatever unit `set` is told; characters here. */
  readonly maxWeight: number
  /** Called with each evicted entry. */
  readonly onEvict?: (key: K, value: V) => void
}

interface Entry<V> {
  readonly value: V
  readonly weight: number
  /** How much had been placed, in number and weight, when this was. */
  readonly placed: number
  readonly placedWeight: number
}

/**
 * A map that holds at most so much: what was not used for the longest time goes first, as near as a quarter of all
 * that fits. Holds plain data only.
 */
export class BoundedMap<K, V> {
  readonly #options: BoundedMapOptions<K, V>
  // A Map iterates in order of insertion, so its first key is the least recently used one. To move a key costs more
  // than to find it, so one that little was put behind stays where it is.
  readonly #entries = new Map<K, Entry<V>>()
  #total = 0
  #placed = 0
  #placedWeight = 0

  constructor(options: BoundedMapOptions<K, V>) {
    this.#options = options
  }

  /** Sum of the weights of what it holds. */
  get weight(): number {
    return this.#total
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const { maxEntries, maxWeight } = this.#options
    if (this.#placed - entry.placed >= maxEntries / 4 || this.#placedWeight - entry.placedWeight >= maxWeight / 4) {
      this.#entries.delete(key)
      this.#place(key, entry.value, entry.weight)
    }
    return entry.value
  }

  /** `weight` is in the units of `maxWeight`; a value heavier than that by itself is not kept. */
  set(key: K, value: V, weight: number): void {
    const { maxEntries, maxWeight, onEvict } = this.#options
    this.delete(key)
    if (weight > maxWeight) return
    this.#place(key, value, weight)
    this.#total += weight
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= maxEntries && this.#total <= maxWeight) return
      this.delete(oldest)
      onEvict?.(oldest, entry.value)
    }
  }

  delete(key: K): void {
    this.#total -= this.#entries.get(key)?.weight ?? 0
    this.#entries.delete(key)
  }

  #place(key: K, value: V, weight: number): void {
    this.#placed += 1
    this.#placedWeight += weight
    this.#entries.set(key, { value, weight, placed: this.#placed, placedWeight: this.#placedWeight })
  }
}
