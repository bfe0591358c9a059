import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../../src/lib/bounded-map.ts'

describe('a bounded map', () => {
  it('lets the least recently used go first', () => {
    const evicted: string[] = []
    const map = new BoundedMap<string, number>({ maxEntries: 2, maxWeight: 100, onEvict: (key) => evicted.push(key) })
    map.set('a', 1, 1)
    map.set('b', 2, 1)
    map.get('a')
    map.set('c', 3, 1)
    expect([map.get('a'), map.get('b'), map.get('c'), evicted]).toEqual([1, undefined, 3, ['b']])
  })

  it('holds no more than its weight', () => {
    const map = new BoundedMap<string, string>({ maxEntries: 100, maxWeight: 10 })
    map.set('a', 'a', 6)
    map.set('b', 'b', 4)
    map.set('c', 'c', 4)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, 'b', 'c'])
    map.set('b', 'lighter', 1)
    map.set('d', 'd', 5)
    expect([map.get('b'), map.get('c'), map.get('d')]).toEqual(['lighter', 'c', 'd'])
  })

  it('does not keep what is heavier than all of it, and forgets what that replaces', () => {
    const map = new BoundedMap<string, string>({ maxEntries: 100, maxWeight: 10 })
    map.set('a', 'old', 1)
    map.set('a', 'new', 11)
    expect(map.get('a')).toBeUndefined()
  })
})
