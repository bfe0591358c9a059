/**
 * A map that holds at most so much: what was not used for the longest time goes first, as near as a quarter of all
 * that fits. Holds plain data only.
 */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined
  /** `weight` is in the units of `maxWeight`; a value heavier than that by itself is not kept. */
  set(key: K, value: V, weight: number): void
  delete(key: K): void
  /** Sum of the weights of what it holds. */
  weight(): number
}

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

export function createBoundedMap<K, V>({ maxEntries, maxWeight, onEvict }: BoundedMapOptions<K, V>): BoundedMap<K, V> {
  // A Map iterates in order of insertion, so its first key is the least recently used one. To move a key costs more
  // than to find it, so one that little was put behind stays where it is.
  const entries = new Map<K, Entry<V>>()
  const [nearEntries, nearWeight] = [maxEntries / 4, maxWeight / 4]
  let total = 0
  let placed = 0
  let placedWeight = 0

  function place(key: K, value: V, weight: number): void {
    placed += 1
    placedWeight += weight
    entries.set(key, { value, weight, placed, placedWeight })
  }

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
      if (placed - entry.placed >= nearEntries || placedWeight - entry.placedWeight >= nearWeight) {
        entries.delete(key)
        place(key, entry.value, entry.weight)
      }
      return entry.value
    },
    set(key, value, weight) {
      remove(key)
      if (weight > maxWeight) return
      place(key, value, weight)
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
