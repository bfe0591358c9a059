import { describe, expect, it } from 'vitest'
import { SingleFlight } from '../../../src/lib/single-flight.ts'
import { createClock, settle } from '../../support/clock.ts'

function prepare(maxCalls = 100) {
  const clock = createClock()
  const singleFlight = new SingleFlight<string>(clock, maxCalls)
  const calls: { key: string; budgetMs: number; settle: (value: string) => void }[] = []
  const run = (key: string, budgetMs = 1000) =>
    singleFlight.run({
      key,
      deadlineMs: clock.now() + budgetMs,
      ctx: { waitUntil: () => undefined },
      call: (deadlineMs) => new Promise((settle) => calls.push({ key, budgetMs: deadlineMs - clock.now(), settle })),
    })
  return { clock, calls, run }
}

describe('SingleFlight.run()', () => {
  it('makes one call when many requests ask for one key', async () => {
    const { calls, run } = prepare()
    const all = Array.from({ length: 50 }, () => run('a'))
    const other = run('b')
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['a', 'b'])
    calls[0]?.settle('one')
    calls[1]?.settle('two')
    const settled = await Promise.all(all)
    expect(settled.map((shared) => shared?.value)).toEqual(Array(50).fill('one'))
    expect(settled.filter((shared) => shared?.led)).toHaveLength(1)
    expect(await other).toEqual({ value: 'two', led: true })
  })

  it('calls again when the last call has settled', async () => {
    const { calls, run } = prepare()
    const first = run('a')
    calls[0]?.settle('one')
    await first
    const second = run('a')
    calls[1]?.settle('two')
    expect(await second).toEqual({ value: 'two', led: true })
  })

  it('starts the call again with the time that is left when the request that started it was cancelled', async () => {
    const { clock, calls, run } = prepare()
    void run('a', 1000)
    clock.advance(400)
    const follower = run('a', 1000)
    await settle()
    expect(calls).toHaveLength(1)
    clock.advance(850)
    await settle()
    expect(calls.map(({ budgetMs }) => budgetMs)).toEqual([1000, 150])
    calls[1]?.settle('late but true')
    expect(await follower).toEqual({ value: 'late but true', led: true })
  })

  it('starts the call once again when many requests wait for a cancelled one', async () => {
    const { clock, calls, run } = prepare()
    void run('a', 500)
    const followers = Array.from({ length: 20 }, () => run('a', 2000))
    await settle()
    clock.advance(750)
    await settle()
    expect(calls).toHaveLength(2)
    calls[1]?.settle('x')
    expect((await Promise.all(followers)).map((shared) => shared?.value)).toEqual(Array(20).fill('x'))
  })

  it('shares the answer that a call gives at its deadline', async () => {
    const { clock, calls, run } = prepare()
    const leader = run('a', 1000)
    const follower = run('a', 1200)
    await settle()
    clock.advance(1000)
    calls[0]?.settle('no answer in time')
    expect((await leader)?.value).toBe('no answer in time')
    expect((await follower)?.value).toBe('no answer in time')
    expect(calls).toHaveLength(1)
  })

  it('returns undefined at the deadline of the request', async () => {
    const { clock, run } = prepare()
    void run('a', 10_000)
    const hurried = run('a', 100)
    await settle()
    clock.advance(100)
    expect(await hurried).toBeUndefined()
  })

  it('keeps the call for the others when one request has a short deadline', async () => {
    const { clock, calls, run } = prepare()
    const leader = run('a', 10_000)
    void run('a', 100)
    await settle()
    clock.advance(100)
    await settle()
    const late = run('a', 10_000)
    await settle()
    expect(calls).toHaveLength(1)
    calls[0]?.settle('x')
    expect([(await leader)?.value, (await late)?.value]).toEqual(['x', 'x'])
  })

  it('drops the oldest cancelled call when the map is full', async () => {
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

  it('shares calls again when the deadline of cancelled ones has passed', async () => {
    const { clock, calls, run } = prepare(2)
    void run('cancelled')
    void run('cancelled too')
    clock.advance(1250)
    const all = [run('a'), run('a')]
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['cancelled', 'cancelled too', 'a'])
    calls[2]?.settle('x')
    expect((await Promise.all(all)).map((shared) => shared?.value)).toEqual(['x', 'x'])
  })

  it('makes each call unshared when the map is full', async () => {
    const { calls, run } = prepare(1)
    void run('a')
    void run('b')
    void run('b')
    await settle()
    expect(calls.map(({ key }) => key)).toEqual(['a', 'b', 'b'])
  })
})
