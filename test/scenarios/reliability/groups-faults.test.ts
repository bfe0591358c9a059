import { describe, expect, it } from 'vitest'
import { createClock } from '../../support/clock.ts'
import { healthyKeystone, KEYSTONE_FAULTS, type KeystoneFaultName } from '../../support/faults.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook } from '../../support/webhook.ts'
import { createKv } from './faulty-kv.ts'
import { reviewTimed } from './reliability-stage.ts'

// Keystone vouches for the token and fails while its user's groups are read. A user without groups is another user, so
// only Keystone's refusal to show them counts as "none"; everything else is no verdict.

const NONE = { reason: 'groups_refused', stale: 'groups_refused', requests: 2, tookMs: 0 }
const lost = (requests: number) => ({ reason: 'keystone_network', stale: 'stale', requests, tookMs: 0 })
const LATE = { reason: 'keystone_timeout', stale: 'stale', requests: 2, tookMs: 5000 }
const DOWN = { reason: 'keystone_status', stale: 'stale', requests: 2, tookMs: 0 }
const no = (reason: string) => ({ reason, stale: reason, requests: 2, tookMs: 0 })

/** What a new token and one past its time come to. */
const EXPECTED: Readonly<Record<Exclude<KeystoneFaultName, 'is well' | 'is slow, 4 s'>, typeof NONE>> = {
  'refuses the connection': lost(3),
  'resets the connection': lost(3),
  'resets inside the answer': lost(2),
  hangs: LATE,
  'hangs inside the answer': LATE,
  'answers 401, its own': no('keystone_status'),
  'answers 401, a page': no('keystone_status'),
  'answers 404, its own': NONE,
  'answers 404, a page': NONE,
  'answers 403': NONE,
  'answers 429': no('keystone_status'),
  'answers 500': DOWN,
  'answers 502': DOWN,
  'answers 503': DOWN,
  'answers 504': DOWN,
  'answers 501': no('keystone_status'),
  'answers 505': no('keystone_status'),
  'answers a redirect': no('keystone_redirect'),
  'answers a page': no('keystone_malformed'),
  'answers truncated JSON': no('keystone_malformed'),
  'answers 5 MiB': no('keystone_too_large'),
}

describe.each(Object.entries(EXPECTED))('groups: Keystone %s', (fault, expected) => {
  const respond = KEYSTONE_FAULTS[fault as KeystoneFaultName]

  it(`a new token: ${expected.reason}`, async () => {
    const clock = createClock()
    const kv = createKv(clock)
    const webhook = await createWebhook({
      clock,
      ...kv,
      keystone: (request) => (request.url.endsWith('/groups') ? respond(request, clock) : healthyKeystone(request)),
    })
    const { answer, tookMs } = await reviewTimed(webhook, fernetShaped(), kv)
    const isIn = expected === NONE
    expect(answer.json.status).toMatchObject(isIn ? { authenticated: true } : { error: expect.any(String) })
    expect(webhook.reviews()[0]).toMatchObject({ decision: isIn ? 'allow' : 'unknown', reason: expected.reason })
    expect(webhook.keystoneRequests).toHaveLength(expected.requests)
    expect(tookMs).toBe(expected.tookMs)
  })

  it(`a token past its time: ${expected.stale}`, async () => {
    const clock = createClock()
    const kv = createKv(clock)
    let isDown = false
    const webhook = await createWebhook({
      clock,
      ...kv,
      keystone: (request) =>
        isDown && request.url.endsWith('/groups') ? respond(request, clock) : healthyKeystone(request),
    })
    const token = fernetShaped()
    await webhook.review(token)
    clock.advance(120_000)
    isDown = true
    await reviewTimed(webhook, token, kv)
    const { reason, source } = webhook.reviews().at(-1) ?? {}
    expect(source === 'stale' ? source : reason).toBe(expected.stale)
  })
})
