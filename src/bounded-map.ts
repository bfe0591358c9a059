/** A map that holds at most so much: the least recently used goes first. Holds plain data only. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined
  /** `weight` is in the units of `maxWeight`; a value heavier than that by itself is not kept. */
  set(key: K, value: V, weight: number): void
  delete(key: K): void
  /** Sum of the weights of what it holds. */
  weight(): number
}

export interface BoundedMapOptions<K, V> {
  readonly maxEntries: number
  /** Sum of all weights, in whatever unit `set` is told; characters here. */
  readonly maxWeight: number
  /** Called with what was pushed out to make room. */
  readonly onEvict?: (key: K, value: V) => void
}

export function createBoundedMap<K, V>({ maxEntries, maxWeight, onEvict }: BoundedMapOptions<K, V>): BoundedMap<K, V> {
  // A Map iterates in order of insertion, so its first key is the least recently used one.
  const entries = new Map<K, { value: V; weight: number }>()
  let total = 0

  function remove(key: K): V | undefined {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    entries.delete(key)
    total -= entry.weight
    return entry.value
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, weight) {
      remove(key)
      if (weight > maxWeight) return
      entries.set(key, { value, weight })
      total += weight
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxWeight) return
        const evicted = remove(oldest)
        if (evicted !== undefined) onEvict?.(oldest, evicted)
      }
    },
    delete(key) {
      remove(key)
    },
    weight: () => total,
  }
}
