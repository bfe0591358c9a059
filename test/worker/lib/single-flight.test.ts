import { describe, expect, it } from 'vitest'
import { createSingleFlight } from '../../../src/lib/single-flight.ts'
import { createClock, settle } from '../../support/clock.ts'

function prepare(maxFlights = 100) {
  const clock = createClock()
  const flights = createSingleFlight<string>({ now: clock.now, startTimer: clock.startTimer, maxFlights })
  const calls: { key: string; budgetMs: number; land: (value: string) => void }[] = []
  const run = (key: string, budgetMs = 1000) =>
    flights.run({
      key,
      budgetMs,
      waitUntil: () => undefined,
      call: (budget) => new Promise((land) => calls.push({ key, budgetMs: budget, land })),
    })
  return { clock, calls, run }
}

describe('a single flight', () => {
  it('makes one call for all who want the same', async () => {
    const { calls, run } = prepare()
    const all = Array.from({ length: 50 }, () => run('a'))
    const other = run('b')
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['a', 'b'])
    calls[0]?.land('one')
    calls[1]?.land('two')
    const landed = await Promise.all(all)
    expect(landed.map((flight) => flight?.value)).toEqual(Array(50).fill('one'))
    expect(landed.filter((flight) => flight?.led)).toHaveLength(1)
    expect(await other).toEqual({ value: 'two', led: true })
  })

  it('calls again once the last has landed', async () => {
    const { calls, run } = prepare()
    const first = run('a')
    calls[0]?.land('one')
    await first
    const second = run('a')
    calls[1]?.land('two')
    expect(await second).toEqual({ value: 'two', led: true })
  })

  it('a follower whose leader was cancelled leads itself with the time that it has left', async () => {
    const { clock, calls, run } = prepare()
    void run('a', 1000)
    clock.advance(400)
    const follower = run('a', 1000)
    await settle()
    expect(calls).toHaveLength(1)
    clock.advance(850)
    await settle()
    expect(calls.map(({ budgetMs }) => budgetMs)).toEqual([1000, 150])
    calls[1]?.land('late but true')
    expect(await follower).toEqual({ value: 'late but true', led: true })
  })

  it('of many followers without a leader one leads and the others follow it', async () => {
    const { clock, calls, run } = prepare()
    void run('a', 500)
    const followers = Array.from({ length: 20 }, () => run('a', 2000))
    await settle()
    clock.advance(750)
    await settle()
    expect(calls).toHaveLength(2)
    calls[1]?.land('x')
    expect((await Promise.all(followers)).map((flight) => flight?.value)).toEqual(Array(20).fill('x'))
  })

  it("a leader's own late answer is shared, not asked for again", async () => {
    const { clock, calls, run } = prepare()
    const leader = run('a', 1000)
    const follower = run('a', 1200)
    await settle()
    clock.advance(1000)
    calls[0]?.land('no answer in time')
    expect((await leader)?.value).toBe('no answer in time')
    expect((await follower)?.value).toBe('no answer in time')
    expect(calls).toHaveLength(1)
  })

  it('a follower never waits longer than its own time', async () => {
    const { clock, run } = prepare()
    void run('a', 10_000)
    const hurried = run('a', 100)
    await settle()
    clock.advance(100)
    expect(await hurried).toBeUndefined()
  })

  it('a hurried follower does not end the flight of the others', async () => {
    const { clock, calls, run } = prepare()
    const leader = run('a', 10_000)
    void run('a', 100)
    await settle()
    clock.advance(100)
    await settle()
    const late = run('a', 10_000)
    await settle()
    expect(calls).toHaveLength(1)
    calls[0]?.land('x')
    expect([(await leader)?.value, (await late)?.value]).toEqual(['x', 'x'])
  })

  it('ones that were replaced do not stand before those that are gone', async () => {
    const { clock, calls, run } = prepare(2)
    void run('replaced')
    void run('cancelled')
    clock.advance(1250)
    void run('replaced')
    await settle()
    void run('a')
    void run('a')
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['replaced', 'cancelled', 'replaced', 'a'])
  })

  it('cancelled ones make room once their time is up', async () => {
    const { clock, calls, run } = prepare(2)
    void run('cancelled')
    void run('cancelled too')
    clock.advance(1250)
    const all = [run('a'), run('a')]
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['cancelled', 'cancelled too', 'a'])
    calls[2]?.land('x')
    expect((await Promise.all(all)).map((flight) => flight?.value)).toEqual(['x', 'x'])
  })

  it('past its bound every call is made for itself', async () => {
    const { calls, run } = prepare(1)
    void run('a')
    void run('b')
    void run('b')
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['a', 'b', 'b'])
  })
})
