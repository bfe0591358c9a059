import { describe, expect, it } from 'vitest'
import { type Breaker, createBreaker } from '../../../../src/keystone/limits/breaker.ts'
import { createClock, type FrozenClock } from '../../../support/clock.ts'

const LOOK_UP_MS = 8_000

function prepare(minUsers = 0): { breaker: Breaker; clock: FrozenClock } {
  const clock = createClock()
  return { breaker: createBreaker({ now: clock.now, minUsers, lookUpMs: LOOK_UP_MS }), clock }
}

function fail(breaker: Breaker, times: number, user = 'alice'): void {
  for (let failure = 0; failure < times; failure += 1) breaker.failed(user)
}

/** Opened just now. */
function prepareOpen() {
  const prepared = prepare()
  fail(prepared.breaker, 5)
  return prepared
}

/** How long it stays open from now on. */
function openMs({ state }: Breaker, clock: FrozenClock): number {
  const startedAtMs = clock.now()
  while (state() === 'open') clock.advance(100)
  return clock.now() - startedAtMs
}

describe('a breaker', () => {
  it('is closed and lets everyone through', () => {
    const { breaker } = prepare()
    expect(breaker.state()).toBe('closed')
    for (let times = 0; times < 10; times += 1) expect(breaker.admit('alice')).toBe(true)
  })

  it('opens with the fifth failure in a row', () => {
    const { breaker } = prepare()
    fail(breaker, 4)
    expect(breaker.state()).toBe('closed')
    fail(breaker, 1)
    expect([breaker.state(), breaker.admit('alice')]).toEqual(['open', false])
  })

  it('does not open while answers come in between', () => {
    const { breaker } = prepare()
    for (let times = 0; times < 10; times += 1) {
      fail(breaker, 4)
      breaker.succeeded()
    }
    expect(breaker.state()).toBe('closed')
  })

  it('opens again at the fifth failure after it was closed, for 5 s', () => {
    const { breaker, clock } = prepareOpen()
    clock.advance(5_000)
    breaker.admit('alice')
    breaker.succeeded()
    fail(breaker, 4)
    expect(breaker.state()).toBe('closed')
    fail(breaker, 1)
    expect(openMs(breaker, clock)).toBe(5_000)
  })
})

describe('a breaker that needs two users', () => {
  it('is not opened by one, however often', () => {
    const { breaker } = prepare(2)
    fail(breaker, 100)
    expect(breaker.state()).toBe('closed')
    breaker.failed('bob')
    expect(breaker.state()).toBe('open')
  })

  it('needs five failures all the same', () => {
    const { breaker } = prepare(2)
    fail(breaker, 3)
    breaker.failed('bob')
    expect(breaker.state()).toBe('closed')
    breaker.failed('carol')
    expect(breaker.state()).toBe('open')
  })

  it('forgets users with their failures', () => {
    const { breaker } = prepare(2)
    breaker.failed('bob')
    breaker.succeeded()
    fail(breaker, 100)
    expect(breaker.state()).toBe('closed')
  })

  function prepareHalfOpen() {
    const prepared = prepare(2)
    fail(prepared.breaker, 4)
    prepared.breaker.failed('bob')
    prepared.clock.advance(5_000)
    return prepared
  }

  it('is not kept open by probes of one: the next one is left to others', () => {
    const { breaker } = prepareHalfOpen()
    expect(breaker.admit('mallory')).toBe(true)
    breaker.failed('mallory')
    expect([breaker.state(), breaker.admit('mallory'), breaker.admit('alice')]).toEqual(['half-open', false, true])
    breaker.succeeded()
    expect([breaker.state(), breaker.admit('mallory')]).toEqual(['closed', true])
  })

  it('asks again with the probes of one where nobody else comes, as rarely as if it were open', () => {
    const { breaker, clock } = prepareHalfOpen()
    const pauses: number[] = []
    for (let probe = 0; probe < 4; probe += 1) {
      breaker.admit('alice')
      breaker.failed('alice')
      const startedAtMs = clock.now()
      while (!breaker.admit('alice')) clock.advance(100)
      pauses.push(clock.now() - startedAtMs)
    }
    expect(pauses).toEqual([10_000, 20_000, 30_000, 30_000])
  })

  it('opens again when the probes of two fail', () => {
    const { breaker, clock } = prepareHalfOpen()
    for (const user of ['alice', 'bob']) {
      expect(breaker.admit(user)).toBe(true)
      breaker.failed(user)
    }
    expect([breaker.state(), breaker.admit('carol')]).toEqual(['open', false])
    expect(openMs(breaker, clock)).toBe(20_000)
    expect(breaker.admit('alice')).toBe(true)
  })
})

describe('an open breaker', () => {
  it('stays open for 5 s, then 10, 20 and 30 s as probes fail, and 5 s again after a success', () => {
    const { breaker, clock } = prepareOpen()
    const times: number[] = []
    for (let probe = 0; probe < 6; probe += 1) {
      times.push(openMs(breaker, clock))
      expect([breaker.state(), breaker.admit('alice')]).toEqual(['half-open', true])
      breaker.failed('alice')
    }
    expect(times).toEqual([5_000, 10_000, 20_000, 30_000, 30_000, 30_000])
    clock.advance(30_000)
    breaker.admit('alice')
    breaker.succeeded()
    fail(breaker, 5)
    expect(openMs(breaker, clock)).toBe(5_000)
  })

  it('admits one probe, and closes when that is answered', () => {
    const { breaker, clock } = prepareOpen()
    clock.advance(5_000)
    expect([breaker.admit('alice'), breaker.admit('alice'), breaker.admit('alice'), breaker.state()]).toEqual([
      true,
      false,
      false,
      'open',
    ])
    breaker.succeeded()
    expect([breaker.state(), breaker.admit('alice'), breaker.admit('alice')]).toEqual(['closed', true, true])
  })

  it('admits another when a probe does not report within the time of a look-up', () => {
    const { breaker, clock } = prepareOpen()
    clock.advance(5_000)
    breaker.admit('alice')
    clock.advance(LOOK_UP_MS - 1)
    expect(breaker.admit('alice')).toBe(false)
    clock.advance(1)
    expect([breaker.state(), breaker.admit('alice'), breaker.admit('alice')]).toEqual(['half-open', true, false])
  })

  it('is not kept open by look-ups that were under way when it opened', () => {
    const { breaker, clock } = prepareOpen()
    clock.advance(4_999)
    fail(breaker, 10)
    clock.advance(1)
    expect(breaker.state()).toBe('half-open')
    breaker.admit('alice')
    breaker.failed('alice')
    expect(openMs(breaker, clock)).toBe(10_000)
  })

  it('is closed by an answer to one of them: Keystone is there', () => {
    const { breaker, clock } = prepareOpen()
    clock.advance(1_000)
    breaker.succeeded()
    expect(breaker.state()).toBe('closed')
  })
})
