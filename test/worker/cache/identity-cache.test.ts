import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createClock, START_MS } from '../../support/clock.ts'
import { faulty } from '../../support/faults.ts'
import { errorBody, groupsBody, type TokenOptions, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import {
  CACHE_KEY,
  createWebhook,
  OTHER_CALLER_TOKEN,
  type Webhook,
  type WebhookOptions,
} from '../../support/webhook.ts'

const OLD_KEY = btoa('o'.repeat(32))

function healthy(options: TokenOptions = {}) {
  return async (request: Request): Promise<Response> =>
    Response.json(
      request.url.endsWith('/groups') ? groupsBody([]) : tokenBody({ expiresAtMs: START_MS + 3_600_000, ...options }),
    )
}

const rejecting = async (): Promise<Response> => Response.json(errorBody(401, 'x'), { status: 401 })
const forbidden = (): Promise<Response> => Promise.reject(new Error('Keystone must not be asked'))

/** Another isolate of the same deployment at the same moment: shared KV, a memory of its own. */
function anotherIsolate(webhook: Webhook, options: Partial<WebhookOptions> = {}) {
  return createWebhook({ keystone: forbidden, clock: webhook.clock, ...options })
}

const isIn = async (webhook: Webhook, token: string): Promise<unknown> => {
  const { json } = await webhook.review(token)
  return json.status.error ?? json.status.authenticated
}

describe('an identity', () => {
  it('is served for IDENTITY_TTL_SECONDS from its validation, from memory and from KV', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(119_999)
    const isolate = await anotherIsolate(webhook)
    expect(await isIn(isolate, token)).toBe(true)
    expect(await isIn(webhook, token)).toBe(true)
    expect(webhook.keystoneRequests).toHaveLength(2)
    expect([webhook.reviews().at(-1)?.source, isolate.reviews().at(-1)?.source]).toEqual(['memory', 'kv'])
    webhook.clock.advance(1)
    expect(await isIn(webhook, token)).toBe(true)
    expect(webhook.keystoneRequests).toHaveLength(4)
    await webhook.background()
    expect(await isIn(isolate, token)).toBe(true)
    expect(isolate.reviews().at(-1)?.source).toBe('kv')
  })

  it('taken from KV is not served longer for that', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(100_000)
    const isolate = await anotherIsolate(webhook, { keystone: rejecting })
    expect(await isIn(isolate, token)).toBe(true)
    webhook.clock.advance(20_000)
    expect(await isIn(isolate, token)).toBe(false)
  })

  it("is never served past the token's own end, and that costs no look-up", async () => {
    const webhook = await createWebhook({ keystone: healthy({ expiresAtMs: START_MS + 50_000 }) })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(49_999)
    expect(await isIn(webhook, token)).toBe(true)
    webhook.clock.advance(1)
    expect(await isIn(webhook, token)).toBe(false)
    expect(webhook.keystoneRequests).toHaveLength(2)
    expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'expired', source: 'memory' })
    expect(await isIn(await anotherIsolate(webhook, { keystone: rejecting }), token)).toBe(false)
  })

  it('is kept nowhere with IDENTITY_TTL_SECONDS 0', async () => {
    const cache = faulty({
      get: () => Promise.reject(new Error('read')),
      put: () => Promise.reject(new Error('written')),
    })
    const webhook = await createWebhook({ keystone: healthy(), cache, vars: { IDENTITY_TTL_SECONDS: 0 } })
    const token = fernetShaped()
    for (let times = 0; times < 3; times += 1) expect(await isIn(webhook, token)).toBe(true)
    await webhook.background()
    expect(webhook.keystoneRequests).toHaveLength(6)
    expect(webhook.log.filter((line) => line.event === 'error')).toEqual([])
  })

  it('a shorter TTL works at once on what is in KV', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(31_000)
    const isolate = await anotherIsolate(webhook, { keystone: rejecting, vars: { IDENTITY_TTL_SECONDS: 30 } })
    expect(await isIn(isolate, token)).toBe(false)
  })

  it('that claims to come from the future is not served', async () => {
    const later = await createWebhook({ keystone: healthy(), clock: createClock(START_MS + 60_000) })
    const token = fernetShaped()
    await later.review(token)
    await later.background()
    const webhook = await createWebhook({ keystone: rejecting, clock: createClock() })
    expect(await isIn(webhook, token)).toBe(false)
  })

  it('of one cluster answers another, each in its own version', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    const first = await webhook.review(token)
    const second = await webhook.review(token, { caller: OTHER_CALLER_TOKEN, version: 'v1beta1' })
    expect(second.json.apiVersion).toBe('authentication.k8s.io/v1beta1')
    expect(second.json.status).toEqual(first.json.status)
    expect(webhook.keystoneRequests).toHaveLength(2)
  })
})

describe('a refusal', () => {
  it('is remembered for REJECTION_TTL_SECONDS, in memory only', async () => {
    const put = () => Promise.reject(new Error('a refusal was written'))
    const webhook = await createWebhook({ keystone: rejecting, cache: faulty({ put }) })
    const token = fernetShaped()
    for (let times = 0; times < 3; times += 1) expect(await isIn(webhook, token)).toBe(false)
    webhook.clock.advance(29_999)
    await isIn(webhook, token)
    expect(webhook.keystoneRequests).toHaveLength(1)
    webhook.clock.advance(1)
    await isIn(webhook, token)
    expect(webhook.keystoneRequests).toHaveLength(2)
    await webhook.background()
    expect(webhook.log.filter((line) => line.event === 'error')).toEqual([])
  })

  it('ends what memory knew, and a later yes ends the refusal', async () => {
    let keystone: (request: Request) => Promise<Response> = healthy()
    const webhook = await createWebhook({
      keystone: (request) => keystone(request),
      vars: { REJECTION_TTL_SECONDS: 10 },
    })
    const token = fernetShaped()
    expect(await isIn(webhook, token)).toBe(true)
    webhook.clock.advance(120_000)
    keystone = rejecting
    expect(await isIn(webhook, token)).toBe(false)
    keystone = healthy()
    expect(await isIn(webhook, token)).toBe(false)
    webhook.clock.advance(10_000)
    expect(await isIn(webhook, token)).toBe(true)
  })

  it('by shape costs no look-up, no fingerprint and no KV', async () => {
    const get = () => Promise.reject(new Error('KV was read'))
    const webhook = await createWebhook({ keystone: forbidden, cache: faulty({ get }) })
    for (const token of [
      '',
      'x',
      'garbage',
      `${fernetShaped()}x`,
      'x'.repeat(3_000_000),
      'user:password',
      'a b',
      'é'.repeat(100),
    ]) {
      const answer = await webhook.review(token)
      expect([answer.status, answer.json.status]).toEqual([200, { authenticated: false }])
      expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'malformed', keystoneCalls: 0 })
      expect(webhook.reviews().at(-1)).not.toHaveProperty('fingerprint')
    }
    expect(webhook.keystoneRequests).toHaveLength(0)
    expect(webhook.log.filter((line) => line.event === 'error')).toEqual([])
  })

  it('of garbage removes nothing from KV, as nothing of it is there', async () => {
    const remove = () => Promise.reject(new Error('removed'))
    const webhook = await createWebhook({ keystone: rejecting, cache: { ...faulty({}), delete: remove } })
    await webhook.review(fernetShaped())
    await webhook.background()
    expect(webhook.log.filter((line) => line.event === 'error')).toEqual([])
  })

  it('cannot push a user out of memory', async () => {
    let keystone: (request: Request) => Promise<Response> = healthy()
    const cache = faulty({ get: async () => new Map() })
    const webhook = await createWebhook({ keystone: (request) => keystone(request), cache })
    const token = fernetShaped()
    await webhook.review(token)
    keystone = rejecting
    for (let garbage = 0; garbage < 2000; garbage += 1) await webhook.review(fernetShaped())
    keystone = forbidden
    expect(await isIn(webhook, token)).toBe(true)
  })
})

describe('what KV holds', () => {
  const keysIn = async () => (await env.CACHE.list()).keys.map(({ name }) => name)

  it('lives there as long as its token, at least 60 s and at most a day', async () => {
    const puts: (KVNamespacePutOptions | undefined)[] = []
    const put = (async (_key: string, _value: string, options?: KVNamespacePutOptions) => {
      puts.push(options)
    }) as never
    for (const [vars, expiresAtMs] of [
      [{}, START_MS + 3_600_000],
      [{ IDENTITY_TTL_SECONDS: 5 }, START_MS + 3_600_000],
      [{}, START_MS + 90_000],
      [{}, START_MS + 100 * 86_400_000],
    ] as const) {
      const webhook = await createWebhook({ keystone: healthy({ expiresAtMs }), cache: faulty({ put }), vars })
      await webhook.review(fernetShaped())
      await webhook.background()
    }
    expect(puts.map((options) => options?.expirationTtl)).toEqual([3600, 3600, 90, 86_400])
  })

  it('of one token is nothing under the key of another', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const [admins, mallorys] = [fernetShaped(), fernetShaped()]
    const before = new Set(await keysIn())
    await webhook.review(admins)
    await webhook.background()
    const [adminKey] = (await keysIn()).filter((key) => !before.has(key))
    await webhook.review(mallorys)
    await webhook.background()
    const [malloryKey] = (await keysIn()).filter((key) => !before.has(key) && key !== adminKey)
    await env.CACHE.put(String(malloryKey), (await env.CACHE.get(String(adminKey))) ?? '')
    const isolate = await anotherIsolate(webhook, { keystone: rejecting })
    expect(await isIn(isolate, mallorys)).toBe(false)
    expect(await isIn(isolate, admins)).toBe(true)
  })

  it('of a token that Keystone refuses is gone', async () => {
    let keystone: (request: Request) => Promise<Response> = healthy()
    const webhook = await createWebhook({ keystone: (request) => keystone(request) })
    const before = new Set(await keysIn())
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    const added = async () => (await keysIn()).filter((key) => !before.has(key) && key.startsWith('identity/'))
    expect(await added()).toHaveLength(1)
    webhook.clock.advance(120_000)
    keystone = rejecting
    expect(await isIn(webhook, token)).toBe(false)
    await webhook.background()
    expect(await added()).toEqual([])
  })

  it('goes on through a rotation of CACHE_KEYS, and ends when its key is taken away', async () => {
    const webhook = await createWebhook({ keystone: healthy(), vars: { CACHE_KEYS: JSON.stringify([OLD_KEY]) } })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    const rotated = await anotherIsolate(webhook, { vars: { CACHE_KEYS: JSON.stringify([CACHE_KEY, OLD_KEY]) } })
    expect(await isIn(rotated, token)).toBe(true)
    const ended = await anotherIsolate(webhook, {
      keystone: rejecting,
      vars: { CACHE_KEYS: JSON.stringify([CACHE_KEY]) },
    })
    expect(await isIn(ended, token)).toBe(false)
  })

  it('of one Keystone is nothing to another', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    const other = await anotherIsolate(webhook, {
      keystone: rejecting,
      vars: { KEYSTONE_URL: 'https://other.test/v3' },
    })
    expect(await isIn(other, token)).toBe(false)
  })
})
