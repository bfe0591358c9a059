import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { answerAfter, hanging, healthyOf, refusing, start, TTL_MS } from './users.ts'

// Whoever has an account, or some, and many tokens of it, against users who are known.

describe('an attacker whose token was revoked', () => {
  // Forty times two requests of 0.4 s are more than any review may take; 2 s and 2.9 s are less than slow, of 5 s.
  it.each([
    [40, 400],
    [1, 2_000],
    [1, 2_900],
  ])('does not keep it alive by the queue of his %i other tokens, at %i ms a request', async (others, requestMs) => {
    const tokens = Array.from({ length: others }, () => fernetShaped())
    const revoked = fernetShaped()
    const healthy = healthyOf(new Map([revoked, ...tokens].map((token) => [token, 'mallory'])))
    const { webhook, keystone } = await start()
    keystone.respond = healthy
    for (const token of [revoked, ...tokens]) await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(TTL_MS)
    keystone.respond = async (request) => {
      const late = Promise.withResolvers<void>()
      webhook.clock.startTimer(requestMs, late.resolve)
      await late.promise
      return request.headers.get('X-Auth-Token') === revoked ? refusing(request) : healthy(request)
    }
    for (const token of tokens) void webhook.review(token)
    await settle()
    const answers: unknown[] = []
    void webhook.review(revoked).then(({ json }) => answers.push(json.status.authenticated))
    for (let steps = 0; steps < 100 && answers.length === 0; steps += 1) {
      webhook.clock.advance(100)
      await settle()
    }
    expect(answers).toEqual([false])
    expect(webhook.reviews().filter(({ source }) => source === 'stale')).toEqual([])
    webhook.clock.advance(60_000)
  })
})

describe('an attacker whose token was revoked, while his other tokens hang', () => {
  it.each([5_000, 10_000])('is refused: that one is asked about all the same, with a time-out of %i ms', async (ms) => {
    const revoked = fernetShaped()
    const tokens = Array.from({ length: 4 }, () => fernetShaped())
    const healthy = healthyOf(new Map([revoked, ...tokens].map((token) => [token, 'mallory'])))
    const { webhook, keystone } = await start({ vars: { KEYSTONE_TIMEOUT_MS: ms } })
    keystone.respond = healthy
    for (const token of [revoked, ...tokens]) await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(TTL_MS)
    keystone.respond = (request) =>
      request.headers.get('X-Auth-Token') === revoked ? refusing(request) : hanging(request)
    void webhook.review(tokens[0])
    await settle()
    const waiting = webhook.review(revoked)
    for (const token of tokens.slice(1)) void webhook.review(token)
    // The hanging one has the user's place for 5 s, the next of them after it; nobody waits for longer than 6 s.
    expect(await answerAfter(webhook, waiting, 6_000)).toEqual({ authenticated: false })
    webhook.clock.advance(60_000)
  })
})
