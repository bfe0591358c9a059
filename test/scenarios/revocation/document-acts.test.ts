import { beforeAll, describe, expect, it } from 'vitest'
import type { KeystonePeople } from '../../support/keystone-people.ts'
import { CALLER_TOKEN, sha256, type Webhook } from '../../support/webhook.ts'
import { COLUMNS, documentedAct, secondsOf } from './documented.ts'
import { type ApiServerCaches, type Ask, rememberAccess, rememberToken } from './kube-apiserver.ts'
import { measureWorst, tell } from './measure.ts'
import { askAccess, askAsCaller, askToken, cachesOf } from './questions.ts'
import { createStage, providers, reachKeystone } from './revocation-stage.ts'

/** An edit of a document, how it is seen, and what of kube-apiserver is in between. */
interface Edit {
  readonly act: string
  readonly document: string
  edited(user: string): unknown
  ask(webhook: Webhook, token: string): Ask
  through?(ask: Ask, now: () => number, caches: ApiServerCaches): Ask
}

const EDITS: readonly Edit[] = [
  {
    act: '`deny` edited',
    document: 'mapping',
    edited: (user) => ({ deny: { users: [user] } }),
    ask: (webhook, token) => askToken(webhook, { token }),
    through: rememberToken,
  },
  {
    act: 'caller removed',
    document: 'callers',
    edited: () => ({}),
    ask: askAsCaller,
  },
  {
    act: '`policy` edited',
    document: 'policy',
    edited: () => [],
    ask: askAccess,
    through: rememberAccess,
  },
]

const POLICY = [
  {
    resource: { verbs: ['get'], resources: ['pods'], version: '*', namespace: '*' },
    match: [{ type: 'role', values: ['member'] }],
  },
]

describe.each(providers())('with %s tokens', { timeout: 60_000 }, (provider) => {
  let keystone: KeystonePeople
  beforeAll(async () => {
    keystone = await reachKeystone(provider)
  }, 60_000)

  describe.each(EDITS)('$act', ({ act, document, edited, ask, through }) => {
    it.for(COLUMNS)('%s', async (column, { annotate }) => {
      const { person, token } = await keystone.newTenant()
      const callers = { 'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`] } }
      const { clock, config, isolate } = createStage(keystone, column, { callers, mapping: {}, policy: POLICY })
      const actAtMs = clock.now()
      config.put(document, edited(person.id))
      // Another isolate of the location fills KV's cache there just before the edit arrives, and this one loads from
      // that cache just before it ends.
      clock.advance(secondsOf('propagation', column) * 1000 - 1)
      expect(await ask(await isolate(), token)()).toBe('yes')
      clock.advance(secondsOf('edge', column) * 1000 - 1)
      const webhook = await isolate()
      expect(await ask(webhook, token)()).toBe('yes')
      const { terms, worst } = documentedAct(act)
      const waits = terms.slice(terms.indexOf('refresh')).map((term) => secondsOf(term, column))
      const asked = ask(webhook, token)
      const lag = await measureWorst(clock, through?.(asked, clock.now, cachesOf(column)) ?? asked, waits, actAtMs)
      await annotate(tell(lag))
      expect(lag.refusedMs).toBeLessThanOrEqual(worst[column] * 1000)
      expect(lag.passedMs).toBeGreaterThan(worst[column] * 1000 - 1000)
    })
  })
})
