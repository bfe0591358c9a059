import { beforeAll, describe, expect, it } from 'vitest'
import type { KeystonePeople } from '../../support/keystone-people.ts'
import { CALLER_TOKEN, sha256 } from '../../support/webhook.ts'
import { type Column, documentedAct, secondsOf } from './documented.ts'
import { KEYSTONE_ACTS } from './keystone-acts.ts'
import { rememberToken } from './kube-apiserver.ts'
import { measureWorst, poll, tell } from './measure.ts'
import { askToken, cachesOf } from './questions.ts'
import { createStage, providers, reachKeystone } from './revocation-stage.ts'

const UNREACHABLE = 'any of these, and Keystone cannot be asked since'

/** Where the webhook knows the token from, and whether Keystone can be asked after the act. */
interface Case {
  readonly column: Column
  readonly known: 'in memory' | 'in KV'
  readonly keystone: 'reachable' | 'unreachable'
}

/** All ways with the defaults; of the other columns what differs. Each case costs a real Keystone a second. */
const CASES: readonly Case[] = [
  { column: 'defaults', known: 'in memory', keystone: 'reachable' },
  { column: 'defaults', known: 'in KV', keystone: 'reachable' },
  { column: 'defaults', known: 'in memory', keystone: 'unreachable' },
  { column: 'defaults', known: 'in KV', keystone: 'unreachable' },
  { column: 'cache-ttl=30s', known: 'in memory', keystone: 'reachable' },
  { column: 'shortest', known: 'in KV', keystone: 'reachable' },
  { column: 'shortest', known: 'in memory', keystone: 'unreachable' },
]

describe.each(providers())('with %s tokens', { timeout: 60_000 }, (provider) => {
  let keystone: KeystonePeople
  beforeAll(async () => {
    keystone = await reachKeystone(provider)
  }, 60_000)

  /** Keystone is asked, says yes, and the act follows at once. */
  async function act(name: string, { column, known, keystone: after }: Case) {
    const prepared = await KEYSTONE_ACTS[name]?.(keystone)
    if (prepared === undefined) throw new Error(`no act ${name}`)
    const callers = { 'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`] } }
    const stage = createStage(keystone, column, { callers, mapping: {} })
    const first = await stage.isolate()
    expect(await askToken(first, prepared)()).toBe('yes')
    const actAtMs = stage.clock.now()
    await prepared.perform()
    if (after === 'unreachable') stage.loseKeystone()
    const webhook = known === 'in memory' ? first : await stage.isolate()
    return { clock: stage.clock, actAtMs, ask: askToken(webhook, prepared) }
  }

  describe.each(Object.keys(KEYSTONE_ACTS))('%s', (name) => {
    it.for(CASES)('$column: Keystone $keystone, the token known $known', async (given, { annotate }) => {
      const { column } = given
      const { clock, actAtMs, ask } = await act(name, given)
      const documented = documentedAct(given.keystone === 'reachable' ? name : UNREACHABLE)
      const stale = given.keystone === 'reachable' ? 0 : secondsOf('stale', column)
      const waits = [
        secondsOf('identity', column) + stale,
        ...['token-cache', 'token-front'].map((term) => secondsOf(term, column)),
      ]
      const lag = await measureWorst(clock, rememberToken(ask, clock.now, cachesOf(column)), waits, actAtMs)
      await annotate(tell(lag))
      // Within a second of the documented sum: neither more, nor a bound that nothing comes near.
      expect(lag.refusedMs).toBeLessThanOrEqual(documented.worst[column] * 1000)
      expect(lag.passedMs).toBeGreaterThan(documented.worst[column] * 1000 - 1000)
    })

    it.for(['defaults', 'cache-ttl=30s'] as const)(
      '%s: sooner for somebody who sends a request a second',
      async (column, { annotate }) => {
        const { clock, actAtMs, ask } = await act(name, { column, known: 'in memory', keystone: 'reachable' })
        const lag = await poll(clock, rememberToken(ask, clock.now, cachesOf(column)), actAtMs)
        await annotate(tell(lag))
        expect(lag.refusedMs).toBeGreaterThan(0)
        expect(lag.refusedMs).toBeLessThanOrEqual(documentedAct(name).worst[column] * 1000)
      },
    )
  })
})
