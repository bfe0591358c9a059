import { describe, expect, it } from 'vitest'
import { Breaker } from '../../../../src/keystone/limits/breaker.ts'
import { createClock, settle } from '../../../support/clock.ts'

const ctx = { waitUntil: () => undefined }

function prepare() {
  const clock = createClock()
  const keystone = { answers: true, hangs: false, probes: 0 }
  const breaker = new Breaker(clock, 5_000, async () => {
    keystone.probes += 1
    if (keystone.hangs) await new Promise(() => undefined)
    return keystone.answers
  })
  const fail = (times: number, users = ['alice', 'bob']): void => {
    for (let failure = 0; failure < times; failure += 1) breaker.failed(users[failure % users.length] ?? '', ctx)
  }
  return { breaker, clock, keystone, fail }
}

/** How long the breaker stays open from now on. */
function openMs({ breaker, clock }: ReturnType<typeof prepare>): number {
  const startedAtMs = clock.now()
  while (breaker.state === 'open') clock.advance(100)
  return clock.now() - startedAtMs
}

describe('Breaker', () => {
  it('admits look-ups while it is closed', async () => {
    const { breaker, keystone } = prepare()
    expect([breaker.state, await breaker.admits(ctx, Number.MAX_SAFE_INTEGER), keystone.probes]).toEqual([
      'closed',
      true,
      0,
    ])
  })

  it('opens at the fifth failure in a row of two users, for 5 s', async () => {
    const prepared = prepare()
    prepared.fail(4)
    expect(prepared.breaker.state).toBe('closed')
    prepared.fail(1)
    expect([prepared.breaker.state, await prepared.breaker.admits(ctx, Number.MAX_SAFE_INTEGER)]).toEqual([
      'open',
      false,
    ])
    expect(openMs(prepared)).toBe(5_000)
  })

  it('stays closed when the look-ups of one user fail', () => {
    const { breaker, fail } = prepare()
    fail(100, ['mallory'])
    expect(breaker.state).toBe('closed')
  })

  it('stays closed when an answer comes between the failures', () => {
    const { breaker, fail } = prepare()
    for (let times = 0; times < 10; times += 1) {
      fail(4)
      breaker.answered('alice')
    }
    expect(breaker.state).toBe('closed')
  })

  it('closes by a probe that Keystone answers', async () => {
    const { breaker, clock, keystone, fail } = prepare()
    fail(5)
    clock.advance(5_000)
    expect(breaker.state).toBe('half-open')
    expect([await breaker.admits(ctx, Number.MAX_SAFE_INTEGER), breaker.state, keystone.probes]).toEqual([
      true,
      'closed',
      1,
    ])
  })

  it('stays open for 5, 10, 20, 30 and 30 s while its probes fail, and for 5 s after it was closed', async () => {
    const prepared = prepare()
    const { breaker, keystone, fail } = prepared
    keystone.answers = false
    fail(5)
    const spans = [openMs(prepared)]
    for (let times = 0; times < 4; times += 1) {
      expect(await breaker.admits(ctx, Number.MAX_SAFE_INTEGER)).toBe(false)
      spans.push(openMs(prepared))
    }
    expect(spans).toEqual([5_000, 10_000, 20_000, 30_000, 30_000])
    keystone.answers = true
    expect(await breaker.admits(ctx, Number.MAX_SAFE_INTEGER)).toBe(true)
    fail(5)
    expect(openMs(prepared)).toBe(5_000)
  })

  it('sends one probe when many look-ups ask at once', async () => {
    const { breaker, clock, keystone, fail } = prepare()
    fail(5)
    clock.advance(5_000)
    expect(await Promise.all(Array.from({ length: 50 }, () => breaker.admits(ctx, Number.MAX_SAFE_INTEGER)))).toEqual(
      Array(50).fill(true),
    )
    expect(keystone.probes).toBe(1)
  })

  it('admits() ends at the deadline of the look-up when the probe takes longer', async () => {
    const { breaker, clock, keystone, fail } = prepare()
    fail(5)
    clock.advance(5_000)
    keystone.hangs = true
    const admitted = breaker.admits(ctx, clock.now() + 100)
    await settle()
    clock.advance(100)
    expect(await admitted).toBe(false)
  })

  it('sends another probe when the request that sent the first one was cancelled', async () => {
    const { breaker, clock, keystone, fail } = prepare()
    fail(5)
    clock.advance(5_000)
    keystone.hangs = true
    void breaker.admits(ctx, Number.MAX_SAFE_INTEGER)
    await settle()
    keystone.hangs = false
    clock.advance(5_250)
    expect([await breaker.admits(ctx, Number.MAX_SAFE_INTEGER), keystone.probes]).toEqual([true, 2])
  })

  it('sends a probe after 5 failures of new tokens, at most one in 5 s, and opens when the probe fails', async () => {
    const { breaker, clock, keystone } = prepare()
    const suspect = (times: number): void => {
      for (let time = 0; time < times; time += 1) breaker.failed(undefined, ctx)
    }
    suspect(4)
    await settle()
    expect(keystone.probes).toBe(0)
    suspect(96)
    await settle()
    expect([breaker.state, keystone.probes]).toEqual(['closed', 1])
    keystone.answers = false
    clock.advance(4_999)
    suspect(100)
    await settle()
    expect(breaker.state).toBe('closed')
    clock.advance(1)
    breaker.failed(undefined, ctx)
    await settle()
    expect([breaker.state, keystone.probes]).toEqual(['open', 2])
  })
})
