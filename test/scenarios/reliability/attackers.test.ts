import { describe, expect, it } from 'vitest'
import { createClock, START_MS, settle } from '../../support/clock.ts'
import { errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook, type Webhook } from '../../support/webhook.ts'

// Whoever may send any token through a kube-apiserver (that is everyone who reaches it) against a user who is known.

const TTL_MS = 120_000

type Misbehave = () => Promise<Response>

/** A Keystone that is well for the tokens of its users, by name, and does what attackers want for all others. */
function keystoneOf(users: ReadonlyMap<string, string>, forOthers: Misbehave) {
  return async (request: Request): Promise<Response> => {
    const token = request.headers.get('X-Auth-Token')
    // The probe of the breaker carries no token.
    if (token === null) return Response.json({ version: { id: 'v3.14' } })
    const name = users.get(token)
    if (name === undefined) return forOthers()
    return Response.json(
      request.url.endsWith('/groups')
        ? groupsBody([])
        : tokenBody({ user: { id: `id-of-${name}`, name }, expiresAtMs: START_MS + 36_000_000 }),
    )
  }
}

const MISBEHAVIOURS: Readonly<Record<string, Misbehave>> = {
  'Keystone answers with 500': async () => Response.json(errorBody(500, 'x'), { status: 500 }),
  'Keystone hangs': () => new Promise(() => undefined),
  'the connection is lost': () => Promise.reject(new Error('Network connection lost.')),
  'Keystone refuses them': async () => Response.json(errorBody(401, 'x'), { status: 401 }),
}

/** Sends many tokens of the right shape at once and does not wait for the answers. */
async function flood(webhook: Webhook, tokens: number): Promise<void> {
  for (let sent = 0; sent < tokens; sent += 1) void webhook.review(fernetShaped())
  await settle()
}

describe.each(Object.entries(MISBEHAVIOURS))('attackers send tokens for which %s', (_name, misbehave) => {
  it('a known user is looked up all the same, and is never served a stale identity', async () => {
    const alices = fernetShaped()
    const webhook = await createWebhook({ keystone: keystoneOf(new Map([[alices, 'alice']]), misbehave) })
    await webhook.review(alices)
    await webhook.background()
    for (let times = 0; times < 6; times += 1) {
      await flood(webhook, 100)
      webhook.clock.advance(TTL_MS)
      await flood(webhook, 100)
      const answer = await webhook.review(alices)
      expect(answer.json.status).toMatchObject({ authenticated: true, user: { username: 'alice' } })
      const line = webhook
        .reviews()
        .filter(({ user }) => user === 'alice')
        .at(-1)
      expect(line).toMatchObject({ decision: 'allow', source: 'keystone' })
    }
    webhook.clock.advance(60_000)
  })

  it('so is a user whom only KV knows', async () => {
    const alices = fernetShaped()
    const keystone = keystoneOf(new Map([[alices, 'alice']]), misbehave)
    const first = await createWebhook({ keystone, clock: createClock() })
    await first.review(alices)
    await first.background()
    const webhook = await createWebhook({ keystone, clock: first.clock })
    webhook.clock.advance(30 * TTL_MS)
    await flood(webhook, 200)
    expect((await webhook.review(alices)).json.status).toMatchObject({ authenticated: true })
    webhook.clock.advance(60_000)
  })
})

describe('attackers use up LOOKUPS', () => {
  it('users whom this isolate knows pass it, past the TTL of their identity too', async () => {
    const alices = fernetShaped()
    let isExhausted = false
    const LOOKUPS = { limit: async () => ({ success: !isExhausted }) }
    const keystone = keystoneOf(new Map([[alices, 'alice']]), MISBEHAVIOURS['Keystone refuses them'] as Misbehave)
    const webhook = await createWebhook({ keystone, vars: { LOOKUPS } })
    await webhook.review(alices)
    await webhook.background()
    isExhausted = true
    await webhook.review(fernetShaped())
    expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'unknown', reason: 'keystone_rate_limited' })
    webhook.clock.advance(10 * TTL_MS)
    expect((await webhook.review(alices)).json.status).toMatchObject({ authenticated: true })
    expect(webhook.reviews().at(-1)).toMatchObject({ source: 'keystone' })
  })
})

describe('an attacker with an account whose every look-up fails', () => {
  it('brings nobody else a stale identity', async () => {
    const [alices, mallorys] = [fernetShaped(), fernetShaped()]
    const users = new Map([
      [alices, 'alice'],
      [mallorys, 'mallory'],
    ])
    const well = keystoneOf(users, MISBEHAVIOURS['Keystone refuses them'] as Misbehave)
    let mallorysFail = false
    const webhook = await createWebhook({
      keystone: (request) =>
        mallorysFail && request.headers.get('X-Auth-Token') === mallorys
          ? Promise.resolve(new Response('broken', { status: 503 }))
          : well(request),
    })
    await webhook.review(alices)
    await webhook.review(mallorys)
    mallorysFail = true
    webhook.clock.advance(TTL_MS)
    for (let times = 0; times < 10; times += 1) {
      await webhook.review(mallorys)
      await webhook.background()
      webhook.clock.advance(5_000)
    }
    expect(webhook.reviews().at(-1)).toMatchObject({ user: 'mallory', source: 'stale' })
    await webhook.review(alices)
    expect(webhook.reviews().at(-1)).toMatchObject({ user: 'alice', source: 'keystone' })
  })

  it('does not prolong an outage for others, though he is always the first to ask', async () => {
    const [alices, bobs] = [fernetShaped(), fernetShaped()]
    const mallorys = Array.from({ length: 8 }, () => fernetShaped())
    const users = new Map([[alices, 'alice'], [bobs, 'bob'], ...mallorys.map((token) => [token, 'mallory'] as const)])
    const well = keystoneOf(users, MISBEHAVIOURS['Keystone refuses them'] as Misbehave)
    let failing = new Set<string>()
    const webhook = await createWebhook({
      keystone: (request) =>
        failing.has(request.headers.get('X-Auth-Token') ?? '')
          ? Promise.resolve(new Response('broken', { status: 503 }))
          : well(request),
    })
    for (const token of users.keys()) await webhook.review(token)
    await webhook.background()
    failing = new Set(users.keys())
    webhook.clock.advance(TTL_MS)
    for (const token of users.keys()) await webhook.review(token)
    failing = new Set(mallorys)
    const sources: unknown[] = []
    for (let second = 0; second < 600; second += 1) {
      webhook.clock.advance(1_000)
      await webhook.review(mallorys[second % mallorys.length])
      await webhook.review(alices)
      sources.push(webhook.reviews().at(-1)?.source)
      await webhook.background()
    }
    // Of the outage itself a pause of 5 s is left; of an identity that is served stale one is asked anew within 5 s more.
    expect(new Set(sources.slice(11))).toEqual(new Set(['memory']))
  })
})
