import { expect, it } from 'vitest'
import { createGuardedKeystone } from '../../src/keystone/guarded-look-up.ts'
import { unavailable } from '../../src/keystone/unavailable.ts'
import { err } from '../../src/result.ts'
import { concealToken } from '../../src/secret.ts'
import { createClock } from '../support/clock.ts'
import { fernetShaped } from '../support/tokens.ts'

it('a probe whose time was up early, as a wait had used it, does not close the breaker', async () => {
  const clock = createClock()
  let cause: 'network' | 'timeout' = 'network'
  const guarded = createGuardedKeystone({
    client: {
      lookUp: async () => ({ result: err(unavailable(cause)), calls: 1 }),
      isReachable: async () => false,
    },
    limit: undefined,
    timeoutMs: 5_000,
    lookUpMs: 8_000,
    now: clock.now,
    startTimer: clock.startTimer,
    onFault: () => undefined,
  })
  const lookUp = (knownUser: string) =>
    guarded.lookUp({
      token: concealToken(fernetShaped()),
      readsGroups: () => false,
      knownUser,
      groupsOf: undefined,
      cluster: 'prod-1',
      budgetMs: 8_000,
    })
  for (const user of ['a', 'b', 'a', 'b', 'a']) await lookUp(user)
  expect(guarded.knownState()).toBe('open')
  clock.advance(5_000)
  cause = 'timeout'
  await lookUp('a')
  expect(guarded.knownState()).not.toBe('closed')
})
