import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { START_MS, settle } from '../../support/clock.ts'
import { faulty } from '../../support/faults.ts'
import { groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped, jwsShaped } from '../../support/tokens.ts'
import { OTHER_CALLER_TOKEN } from '../../support/webhook.ts'
import { answerAfter, hanging, healthyOf, refusing, start, TTL_MS } from './users.ts'

// Users who are known: what is believed of them after a definite no, and what Keystone's slowness does to them.

const CANNOT_TELL = { authenticated: false, error: expect.stringContaining('Keystone') }

describe('a definite no', () => {
  it('keeps another look-up of the token, which hangs, from being served stale', async () => {
    const token = fernetShaped()
    const documents = { 'clusters/prod-2/mapping': { groups: { project: true } } }
    const { webhook, keystone } = await start({ documents })
    await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(TTL_MS)
    keystone.respond = hanging
    const first = webhook.review(token)
    await settle()
    keystone.respond = refusing
    webhook.clock.advance(1_000)
    const second = webhook.review(token, { caller: OTHER_CALLER_TOKEN })
    await settle()
    webhook.clock.advance(4_000)
    expect((await first).json.status).toEqual({ authenticated: false })
    expect((await second).json.status).toEqual({ authenticated: false })
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
    await webhook.background()
  })

  it('is not undone by a yes of a look-up that started before it', async () => {
    const token = fernetShaped()
    const documents = { 'clusters/prod-2/mapping': { groups: { project: true } } }
    const { webhook, keystone } = await start({ documents })
    const yes = Promise.withResolvers<Response>()
    keystone.respond = () => yes.promise
    const waiting = webhook.review(token)
    await settle()
    keystone.respond = refusing
    webhook.clock.advance(1)
    await webhook.review(token, { caller: OTHER_CALLER_TOKEN })
    keystone.respond = healthyOf()
    yes.resolve(Response.json(tokenBody({ expiresAtMs: START_MS + 36_000_000 })))
    expect((await waiting).json.status).toEqual({ authenticated: false })
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
  })

  it('of a known token is not forgotten for a flood of garbage, while KV serves what was removed', async () => {
    const cache = { ...faulty({}), delete: async () => undefined }
    const { webhook, keystone } = await start({ cache })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    keystone.respond = refusing
    webhook.clock.advance(80_000)
    await webhook.review(token)
    await webhook.background()
    // 4 million characters of refused tokens are remembered: 300 as long as tokens can be are more.
    for (let sent = 0; sent < 300; sent += 1) await webhook.review(jwsShaped({ padding: 'x'.repeat(12_000) + sent }))
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
  })
})

describe('the breaker for known users', () => {
  it('opens when Keystone validates tokens but hangs over groups', async () => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: 6 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    const healthy = healthyOf()
    keystone.respond = (request) => (request.url.endsWith('/groups') ? hanging(request) : healthy(request))
    webhook.clock.advance(TTL_MS)
    for (const token of tokens.slice(0, 5)) await answerAfter(webhook, webhook.review(token), 5_000)
    const asked = webhook.keystoneRequests.length
    const reviewed = webhook.reviews().length
    void webhook.review(tokens[5])
    await settle()
    expect(webhook.reviews().slice(reviewed)).toMatchObject([{ decision: 'allow', source: 'stale', keystoneCalls: 0 }])
    expect(webhook.keystoneRequests).toHaveLength(asked)
  })

  it('half-open for long, with no failure since, is no reason to serve anyone a stale identity', async () => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: 5 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    keystone.respond = () => Promise.reject(new TypeError('refused'))
    webhook.clock.advance(TTL_MS)
    for (const token of tokens) await webhook.review(token)
    keystone.respond = healthyOf()
    webhook.clock.advance(600_000)
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    keystone.respond = refusing
    webhook.clock.advance(TTL_MS)
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
  })
})

describe('a queue', () => {
  it('that is full is never a reason to serve a known user a stale identity', async () => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: 16 + 1024 + 10 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    keystone.respond = hanging
    webhook.clock.advance(TTL_MS)
    const answers = tokens.map((token) => webhook.review(token))
    for (let turn = 0; turn < 20; turn += 1) await settle()
    const busy = webhook.reviews().filter(({ reason }) => reason === 'keystone_busy')
    expect(busy).toHaveLength(10)
    expect(webhook.reviews().filter(({ source }) => source === 'stale')).toEqual([])
    expect(await Promise.race(answers).then(({ json }) => json.status)).toEqual(CANNOT_TELL)
    webhook.clock.advance(60_000)
  })

  it('that does not move for as long as an answer may take says that Keystone hangs', async () => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: 40 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    keystone.respond = hanging
    webhook.clock.advance(TTL_MS)
    const answers = tokens.map((token) => webhook.review(token))
    for (const ms of [0, 5_000, 1_000, 2_000]) {
      webhook.clock.advance(ms)
      for (let turn = 0; turn < 10; turn += 1) await settle()
    }
    for (const answer of answers) expect((await answer).json.status).toMatchObject({ authenticated: true })
    expect(
      webhook
        .reviews()
        .slice(40)
        .map(({ source }) => source),
    ).toEqual(Array(40).fill('stale'))
    webhook.clock.advance(60_000)
  })
})

describe('two clusters, of which one reads groups', () => {
  it('ask at the same time about a new token, and each gets what its mapping reads', async () => {
    const token = fernetShaped()
    const documents = { 'clusters/prod-2/mapping': { groups: { keystone: false } } }
    const { webhook, keystone } = await start({ documents })
    const healthy = keystone.respond
    const group = { id: 'g', name: 'friends', domain_id: 'default' }
    keystone.respond = async (request) =>
      request.url.endsWith('/groups') ? Response.json(groupsBody([group])) : healthy(request)
    const [without, having] = await Promise.all([
      webhook.review(token, { caller: OTHER_CALLER_TOKEN }),
      webhook.review(token),
    ])
    expect(without.json.status.user.groups).not.toContain('friends')
    expect(having.json.status.user.groups).toContain('friends')
  })

  it('share an identity with its groups, whoever asks for it again', async () => {
    const token = fernetShaped()
    const documents = { 'clusters/prod-2/mapping': { groups: { keystone: false } } }
    const { webhook, keystone } = await start({ documents })
    await webhook.review(token)
    webhook.clock.advance(80_000)
    await webhook.review(token, { caller: OTHER_CALLER_TOKEN })
    await webhook.background()
    keystone.respond = hanging
    expect((await webhook.review(token)).json.status).toMatchObject({ authenticated: true })
    expect(webhook.reviews().at(-1)).toMatchObject({ source: 'memory' })
  })
})

describe('KV that serves an older copy than memory has', () => {
  it('shortens nobody’s time: the younger one counts', async () => {
    const first = new Map<string, string | null>()
    const get = async (keys: string[]) => {
      const now = await env.CACHE.get(keys, 'text')
      for (const [key, value] of now) if (value !== null && !first.has(key)) first.set(key, value)
      return new Map(keys.map((key) => [key, first.get(key) ?? null]))
    }
    const { webhook, keystone } = await start({ cache: faulty({ get }) })
    const token = fernetShaped()
    for (const ms of [0, 80_000]) {
      webhook.clock.advance(ms)
      await webhook.review(token)
      await webhook.background()
    }
    keystone.respond = () => Promise.reject(new TypeError('refused'))
    webhook.clock.advance(350_000)
    expect((await webhook.review(token)).json.status).toMatchObject({ authenticated: true })
    expect(webhook.reviews().at(-1)).toMatchObject({ source: 'stale' })
  })
})
