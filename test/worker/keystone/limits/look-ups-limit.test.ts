import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createClock, settle } from '../../../support/clock.ts'
import { faulty, healthyKeystone } from '../../../support/faults.ts'
import { fernetShaped, jwsShaped } from '../../../support/tokens.ts'
import { createWebhook, OTHER_CALLER_TOKEN, type Webhook, type WebhookOptions } from '../../../support/webhook.ts'

type Outcome = Promise<{ success: boolean }>

const TTL_MS = 120_000
const RATE_LIMITED = { authenticated: false, error: expect.stringContaining('too many new tokens') }

/** A webhook with a rate limit that answers as told, and the keys by which it was asked. */
async function prepare(limit: (key: string) => Outcome, options: Partial<WebhookOptions> = {}) {
  const keys: string[] = []
  const LOOKUPS = {
    limit({ key }: { key: string }): Outcome {
      keys.push(key)
      return limit(key)
    },
  }
  const webhook = await createWebhook({ keystone: healthyKeystone, ...options, vars: { LOOKUPS, ...options.vars } })
  return { webhook, keys }
}

const pass = async () => ({ success: true })
const refuse = async () => ({ success: false })
const codes = ({ log }: Webhook): unknown[] => log.filter(({ event }) => event === 'error').map(({ code }) => code)

describe('LOOKUPS', () => {
  it('is asked once for each new token, by the cluster that asks', async () => {
    const { webhook, keys } = await prepare(pass)
    const token = fernetShaped()
    for (let times = 0; times < 3; times += 1) await webhook.review(token)
    await webhook.review(fernetShaped(), { caller: OTHER_CALLER_TOKEN })
    expect(keys).toEqual(['prod-1:new', 'prod-2:new'])
  })

  it('refuses: cannot tell, and Keystone is not asked', async () => {
    const { webhook } = await prepare(refuse)
    const { status, headers, json } = await webhook.review(fernetShaped())
    expect([status, headers.get('Retry-After'), json.status]).toEqual([200, null, RATE_LIMITED])
    const line = { decision: 'unknown', reason: 'keystone_rate_limited', keystoneCalls: 0 }
    expect(webhook.reviews()[0]).toMatchObject(line)
    expect(webhook.keystoneRequests).toHaveLength(0)
  })

  it('is asked again for a token that it refused: nothing is remembered', async () => {
    let limit = refuse
    const { webhook } = await prepare(() => limit())
    const token = fernetShaped()
    await webhook.review(token)
    limit = pass
    expect((await webhook.review(token)).json.status.authenticated).toBe(true)
  })

  it('of one cluster is not that of another', async () => {
    const { webhook } = await prepare(async (key) => ({ success: key !== 'prod-1:new' }))
    const token = fernetShaped()
    expect((await webhook.review(token)).json.status).toEqual(RATE_LIMITED)
    expect((await webhook.review(token, { caller: OTHER_CALLER_TOKEN })).json.status.authenticated).toBe(true)
  })

  it('is not asked for a token that memory knows, fresh or not', async () => {
    let limit = pass
    const { webhook, keys } = await prepare(() => limit())
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    limit = refuse
    webhook.clock.advance(TTL_MS)
    expect((await webhook.review(token)).json.status.authenticated).toBe(true)
    expect(webhook.reviews().at(-1)).toMatchObject({ source: 'keystone', keystoneCalls: 2 })
    expect(keys).toEqual(['prod-1:new'])
  })

  it('is asked before KV is read, so that garbage costs no reads', async () => {
    const reads: unknown[] = []
    const cache = faulty({
      get(keys, options) {
        reads.push(...keys.filter((key) => key.startsWith('identity/')))
        return env.CACHE.get(keys, options)
      },
    })
    const { webhook } = await prepare(refuse, { cache })
    for (let times = 0; times < 3; times += 1) {
      expect((await webhook.review(fernetShaped())).json.status).toEqual(RATE_LIMITED)
    }
    expect(reads).toEqual([])
  })

  it('is not asked for a token without the format of a Keystone token', async () => {
    const { webhook, keys } = await prepare(refuse)
    for (const token of [
      '',
      'x',
      'user:password',
      `${fernetShaped()}x`,
      jwsShaped({ iss: 'kubernetes' }, { alg: 'RS256' }),
    ]) {
      expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
    }
    expect(keys).toEqual([])
  })
})

describe('LOOKUPS that cannot be asked is passed over and reported', () => {
  it.each<[string, () => Outcome]>([
    ['rejects', () => Promise.reject(new Error('rate limiting failed'))],
    [
      'throws',
      () => {
        throw new TypeError('rate limiting failed')
      },
    ],
  ])('%s', async (_fault, limit) => {
    const { webhook } = await prepare(limit)
    expect((await webhook.review(fernetShaped())).json.status.authenticated).toBe(true)
    expect(codes(webhook)).toEqual(['lookups_failed'])
    expect(JSON.stringify(webhook.log)).not.toContain('rate limiting failed')
  })

  it('hangs: after a quarter of a second', async () => {
    const clock = createClock()
    const { webhook, keys } = await prepare(() => new Promise(() => undefined), { clock })
    const asking = webhook.review(fernetShaped())
    while (keys.length === 0) await settle()
    clock.advance(249)
    await settle()
    expect([webhook.keystoneRequests.length, codes(webhook)]).toEqual([0, []])
    clock.advance(1)
    expect((await asking).json.status.authenticated).toBe(true)
    expect(codes(webhook)).toEqual(['lookups_failed'])
  })

  it('a Worker without the binding goes without', async () => {
    const { webhook } = await prepare(refuse, { vars: { LOOKUPS: undefined } })
    expect((await webhook.review(fernetShaped())).json.status.authenticated).toBe(true)
    expect(codes(webhook)).toEqual([])
  })
})

describe('simultaneous reviews of one new token', () => {
  it('are looked up for each cluster, so that the limit of one cluster refuses nobody of another', async () => {
    const { webhook, keys } = await prepare(async (key) => ({ success: key === 'prod-2:new' }))
    await webhook.review('garbage')
    const token = fernetShaped()
    const refused = webhook.review(token)
    const accepted = webhook.review(token, { caller: OTHER_CALLER_TOKEN })
    expect((await refused).json.status).toEqual(RATE_LIMITED)
    expect((await accepted).json.status.authenticated).toBe(true)
    expect(keys.toSorted()).toEqual(['prod-1:new', 'prod-2:new'])
    expect(webhook.keystoneRequests).toHaveLength(2)
  })

  it('cost the limit one', async () => {
    const { webhook, keys } = await prepare(pass)
    const token = fernetShaped()
    await Promise.all(Array.from({ length: 20 }, () => webhook.review(token)))
    expect(keys).toEqual(['prod-1:new'])
  })
})
