import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Slots, type TokenKind } from '../../../../src/keystone/limits/slots.ts'
import { createClock, settle } from '../../../support/clock.ts'

/** Slots of which a test acquires some; `order` names those that got one, in their order. */
function prepare(max: number) {
  const clock = createClock()
  const slots = new Slots(clock, max)
  const order: string[] = []
  const releases = new Map<string, () => void>()
  const refused: string[] = []
  const acquire = async (name: string, kind: TokenKind, withinMs = 8_000): Promise<void> => {
    const release = await slots.acquire(kind, clock.now() + withinMs)
    if (release === undefined) refused.push(name)
    else {
      order.push(name)
      releases.set(name, release)
    }
  }
  return { clock, order, refused, acquire, release: (name: string) => releases.get(name)?.() }
}

describe('Slots.acquire()', () => {
  it.each([
    [16, 12],
    [4, 3],
    [2, 2],
    [1, 1],
  ])('grants %i slots, of which new tokens get %i', async (max, ofNew) => {
    const { order, acquire } = prepare(max)
    for (let count = 0; count < max; count += 1) void acquire(`new-${count}`, 'new')
    for (let count = 0; count < max; count += 1) void acquire(`known-${count}`, 'known')
    await settle()
    expect(order.filter((name) => name.startsWith('new'))).toHaveLength(ofNew)
    expect(order).toHaveLength(max)
  })

  it('grants a slot that is released to the look-up that waits longest', async () => {
    const { order, acquire, release } = prepare(1)
    for (const name of ['a', 'b', 'c']) void acquire(name, name === 'b' ? 'known' : 'new')
    await settle()
    for (const name of ['a', 'b']) {
      release(name)
      await settle()
    }
    expect(order).toEqual(['a', 'b', 'c'])
  })

  it('grants a kept slot to a known token when new tokens wait before it', async () => {
    const { order, acquire } = prepare(4)
    for (const name of ['a', 'b', 'c', 'd']) void acquire(name, 'new')
    void acquire('known', 'known')
    await settle()
    expect(order).toEqual(['a', 'b', 'c', 'known'])
  })

  it('refuses at the deadline, and grants nothing to a look-up whose deadline has passed', async () => {
    const { clock, order, refused, acquire, release } = prepare(1)
    void acquire('a', 'known')
    void acquire('late', 'known', 1_000)
    void acquire('b', 'known')
    await settle()
    clock.advance(1_000)
    await settle()
    expect(refused).toEqual(['late'])
    release('a')
    await settle()
    expect(order).toEqual(['a', 'b'])
  })

  it('frees the slot of a cancelled look-up at its deadline', async () => {
    const { clock, order, acquire } = prepare(1)
    void acquire('cancelled', 'known', 8_000)
    await settle()
    clock.advance(7_999)
    void acquire('a', 'known')
    await settle()
    expect(order).toEqual(['cancelled'])
    clock.advance(1)
    void acquire('b', 'known')
    await settle()
    expect(order).toEqual(['cancelled', 'a'])
  })

  it('lets 1,024 of each kind wait and refuses the next one', async () => {
    const { refused, acquire } = prepare(1)
    void acquire('first', 'known')
    for (let count = 0; count < 1_025; count += 1) void acquire(`new-${count}`, 'new')
    void acquire('known', 'known')
    await settle()
    expect(refused).toEqual(['new-1024'])
  })

  it('holds no more than its slots, loses none, and starves nobody, whatever the order', async () => {
    const step = fc.oneof(
      fc.constantFrom('known', 'new').map((kind) => ({ kind })),
      fc.nat(20).map((at) => ({ at })),
    )
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { maxLength: 60 }),
      async (max, steps) => {
        const slots = new Slots(createClock(), max)
        const held: { kind: string; release: () => void }[] = []
        let asked = 0
        let granted = 0
        for (const next of steps) {
          if ('kind' in next) {
            asked += 1
            void slots.acquire(next.kind as TokenKind, Number.MAX_SAFE_INTEGER).then((release) => {
              granted += 1
              held.push({ kind: next.kind, release: release ?? (() => undefined) })
            })
          } else held.splice(next.at, 1)[0]?.release()
          await settle()
          expect(held.length).toBeLessThanOrEqual(max)
          expect(held.filter(({ kind }) => kind === 'new').length).toBeLessThanOrEqual(max - Math.floor(max / 4))
        }
        while (held.length > 0) {
          held.shift()?.release()
          await settle()
        }
        expect(granted).toBe(asked)
      },
    )
    await fc.assert(property, { numRuns: 30 })
  }, 60_000)
})
