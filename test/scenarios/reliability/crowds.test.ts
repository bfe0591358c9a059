import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { OTHER_CALLER_TOKEN, type Webhook } from '../../support/webhook.ts'
import { healthyOf, start, TTL_MS } from './users.ts'

// Many honest users at once, with and without strangers beside them. kubectl does not repeat a login that was refused.

/** A review's longest time with the default settings: 2 × KEYSTONE_TIMEOUT_MS + 1 s. */
const REVIEW_MS = 11_000

/** A Keystone that answers each request after so long. */
function answeringAfter(webhook: Webhook, requestMs: number, respond = healthyOf()) {
  return async (request: Request): Promise<Response> => {
    const late = Promise.withResolvers<void>()
    webhook.clock.startTimer(requestMs, late.resolve)
    await late.promise
    return respond(request)
  }
}

/** How many of the reviews let the user in, and how long the slowest one took. */
async function outcomeOf(webhook: Webhook, reviews: readonly ReturnType<Webhook['review']>[]) {
  const startedAtMs = webhook.clock.now()
  let left = reviews.length
  let slowestMs = 0
  for (const review of reviews) {
    void review.then(() => {
      left -= 1
      slowestMs = webhook.clock.now() - startedAtMs
    })
  }
  while (left > 0 && webhook.clock.now() - startedAtMs < 60_000) {
    await settle()
    webhook.clock.advance(25)
  }
  const answers = await Promise.all(reviews)
  return { accepted: answers.filter(({ json }) => json.status.authenticated === true).length, slowestMs }
}

describe('users who log in at the same moment', () => {
  it.each([
    [20, 150],
    [60, 75],
    [60, 200],
    [200, 50],
  ])('are all accepted, within the time of a review: %i at %i ms a request', async (users, requestMs) => {
    const { webhook, keystone } = await start()
    keystone.respond = answeringAfter(webhook, requestMs)
    const outcome = await outcomeOf(
      webhook,
      Array.from({ length: users }, () => webhook.review(fernetShaped())),
    )
    expect(outcome.accepted).toBe(users)
    expect(outcome.slowestMs).toBeLessThan(REVIEW_MS)
  })

  it('never have more requests under way than KEYSTONE_MAX_CONCURRENT', async () => {
    const { webhook, keystone } = await start({ vars: { KEYSTONE_MAX_CONCURRENT: 3 } })
    let underWay = 0
    let most = 0
    const respond = answeringAfter(webhook, 50)
    keystone.respond = async (request) => {
      underWay += 1
      most = Math.max(most, underWay)
      const answer = await respond(request)
      underWay -= 1
      return answer
    }
    const reviews = Array.from({ length: 20 }, () => webhook.review(fernetShaped()))
    expect((await outcomeOf(webhook, reviews)).accepted).toBe(20)
    expect(most).toBe(3)
  })
})

describe('strangers whose tokens break what stands in front of Keystone', () => {
  it.each([
    ['answers 502', async () => new Response('<html>Bad Gateway</html>', { status: 502 })],
    ['resets the connection', () => Promise.reject(new Error('Network connection lost.'))],
  ])('keep no honest login out, in no cluster, when it %s', async (_name, breaks) => {
    const { webhook, keystone } = await start()
    const honest = new Set<string>()
    const healthy = healthyOf()
    keystone.respond = (request) => {
      const token = request.headers.get('X-Auth-Token')
      return token === null || honest.has(token) ? healthy(request) : breaks()
    }
    let accepted = 0
    for (let second = 0; second < 18; second += 1) {
      for (let forged = 0; forged < 6; forged += 1) await webhook.review(fernetShaped())
      const token = fernetShaped()
      honest.add(token)
      const caller = second % 2 === 0 ? {} : { caller: OTHER_CALLER_TOKEN }
      if ((await webhook.review(token, caller)).json.status.authenticated === true) accepted += 1
      webhook.clock.advance(1_000)
    }
    expect(accepted).toBe(18)
  })
})

describe('steady users', () => {
  it('are all accepted when identities are never served from a cache', async () => {
    const { webhook, keystone } = await start({ vars: { IDENTITY_TTL_SECONDS: 0, STALE_IF_ERROR_SECONDS: 0 } })
    keystone.respond = answeringAfter(webhook, 100)
    const tokens = Array.from({ length: 30 }, () => fernetShaped())
    let accepted = 0
    for (let round = 0; round < 12; round += 1) {
      accepted += (
        await outcomeOf(
          webhook,
          tokens.map((token) => webhook.review(token)),
        )
      ).accepted
    }
    expect(accepted).toBe(360)
    expect(webhook.reviews().every(({ source }) => source === 'keystone')).toBe(true)
  })

  it('are all accepted beside strangers who use up LOOKUPS and the slots for new tokens', async () => {
    let isExhausted = false
    const LOOKUPS = { limit: async () => ({ success: !isExhausted }) }
    const { webhook, keystone } = await start({ vars: { LOOKUPS, STALE_IF_ERROR_SECONDS: 0 } })
    const tokens = Array.from({ length: 30 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    const healthy = healthyOf()
    const known = new Set(tokens)
    keystone.respond = (request) =>
      known.has(request.headers.get('X-Auth-Token') ?? '') ? healthy(request) : new Promise(() => undefined)
    webhook.clock.advance(TTL_MS)
    for (let stranger = 0; stranger < 100; stranger += 1) void webhook.review(fernetShaped())
    await settle()
    isExhausted = true
    const answers = await Promise.all(tokens.map((token) => webhook.review(token)))
    expect(answers.map(({ json }) => json.status.authenticated)).toEqual(Array(30).fill(true))
    webhook.clock.advance(60_000)
  })
})

describe('known users whose identities are past their time while Keystone hangs', () => {
  it.each([20, 40, 200])('are all served stale, within the time of a review: %i at once', async (users) => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: users }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(TTL_MS)
    keystone.respond = () => new Promise(() => undefined)
    const outcome = await outcomeOf(
      webhook,
      tokens.map((token) => webhook.review(token)),
    )
    expect(outcome.accepted).toBe(users)
    expect(outcome.slowestMs).toBeLessThan(REVIEW_MS)
  })

  it('are all served stale when they come one after the other', async () => {
    const { webhook, keystone } = await start()
    const tokens = Array.from({ length: 20 }, () => fernetShaped())
    for (const token of tokens) await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(TTL_MS)
    keystone.respond = () => new Promise(() => undefined)
    const reviews: ReturnType<Webhook['review']>[] = []
    for (const token of tokens) {
      reviews.push(webhook.review(token))
      await settle()
      webhook.clock.advance(100)
    }
    expect((await outcomeOf(webhook, reviews)).accepted).toBe(20)
  })
})
