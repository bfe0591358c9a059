import { describe, expect, it } from 'vitest'
import { createGuardedKeystone } from '../../../../src/keystone/limits/guarded-look-up.ts'
import { unavailable } from '../../../../src/keystone/unavailable.ts'
import type { LookUp } from '../../../../src/keystone/validate.ts'
import { err } from '../../../../src/lib/result.ts'
import { concealToken } from '../../../../src/lib/secret.ts'
import { createClock, settle } from '../../../support/clock.ts'
import { fernetShaped } from '../../../support/tokens.ts'

// What the guards make of how long Keystone takes. The client is the test's own, so that time is all that differs.

const NO: LookUp = { result: err({ reason: 'rejected' }), calls: 2 }

/** Keystone behind guards, with a time-out of 5 s; `answer` is asked for each look-up. */
function prepare(answer: () => Promise<LookUp>, clock = createClock()) {
  const guarded = createGuardedKeystone({
    lookUpToken: answer,
    limit: undefined,
    timeoutMs: 5_000,
    lookUpMs: 8_000,
    clock,
    onFault: () => undefined,
  })
  const lookUp = (knownUser: string, budgetMs = 8_000): Promise<LookUp> =>
    guarded.lookUp({
      token: concealToken(fernetShaped()),
      readsGroups: () => true,
      knownUser,
      cluster: 'prod-1',
      deadlineMs: clock.now() + budgetMs,
    })
  return { clock, guarded, lookUp }
}

describe('a look-up that ends early, as a wait had used its time,', () => {
  it('does not close the breaker as a probe', async () => {
    let cause: 'network' | 'timeout' = 'network'
    const { clock, guarded, lookUp } = prepare(async () => ({ result: err(unavailable(cause)), calls: 1 }))
    for (const user of ['a', 'b', 'a', 'b', 'a']) await lookUp(user)
    expect(guarded.knownState()).toBe('open')
    clock.advance(5_000)
    cause = 'timeout'
    await lookUp('a')
    expect(guarded.knownState()).not.toBe('closed')
  })

  it('asks nobody when no time is left after the wait, and says nothing of Keystone', async () => {
    let asked = 0
    const { clock, lookUp } = prepare(() => {
      asked += 1
      return new Promise(() => undefined)
    })
    void lookUp('alice')
    await settle()
    const late = lookUp('alice', 1_000)
    await settle()
    clock.advance(1_000)
    expect(await late).toEqual({ result: err(unavailable('busy')), calls: 0 })
    expect(asked).toBe(1)
  })

  // All requests of a look-up end in 5 s at most; a user who waited 1 s for a place has 7 s left, one who waited 4 s 4 s.
  it.each([
    [1_000, 5_000, 'timeout'],
    [4_000, 4_000, 'busy'],
  ] as const)(
    'is told from one that had it all: after %i ms of waiting %i ms are %s',
    async (waitMs, tookMs, cause) => {
      const answers: ((found: LookUp) => void)[] = []
      const { clock, lookUp } = prepare(() => new Promise((answer) => answers.push(answer)))
      for (const user of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) void lookUp(user)
      await settle()
      const waiting = lookUp('alice')
      await settle()
      // Four at a time, and none of them slow.
      for (let turn = 0; turn < 2; turn += 1) {
        clock.advance(waitMs / 2)
        for (const answer of answers.splice(0)) answer(NO)
        await settle()
      }
      clock.advance(tookMs)
      answers[0]?.({ result: err(unavailable('timeout')), calls: 2 })
      expect((await waiting).result).toMatchObject({ error: { cause } })
    },
  )
})

describe('Keystone is slow', () => {
  // 60 % of the time-out for each request that is made after another.
  it.each([
    [6_001, 'open'],
    [6_000, 'closed'],
  ] as const)('when two requests take more than that (%i ms: %s)', async (ms, state) => {
    const clock = createClock()
    const slow = async (): Promise<LookUp> => {
      clock.advance(ms)
      return NO
    }
    const { guarded, lookUp } = prepare(slow, clock)
    for (const user of ['a', 'b', 'a', 'b', 'a']) await lookUp(user)
    expect(guarded.knownState()).toBe(state)
  })
})
