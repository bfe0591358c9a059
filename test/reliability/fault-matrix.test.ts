import { describe, expect, it } from 'vitest'
import { createClock, settle } from '../support/clock.ts'
import { KEYSTONE_FAULTS, KV_FAULTS } from '../support/faults.ts'
import { errorBody, groupsBody, tokenBody } from '../support/keystone-answers.ts'
import { fernetShaped } from '../support/tokens.ts'
import { createWebhook, type Webhook } from '../support/webhook.ts'

// Every fault × every state of a token → the answer, the Keystone requests that it costs, and the time that it takes.

const TTL_SECONDS = 120
const healthy = async (request: Request): Promise<Response> =>
  Response.json(
    request.url.endsWith('/groups') ? groupsBody([]) : tokenBody({ expiresAtMs: createClock().now() + 3_600_000 }),
  )

/** Sends a review and moves time on in small steps until it is answered; the answer and how long it took. */
async function reviewTimed(webhook: Webhook, token: string) {
  const startedAtMs = webhook.clock.now()
  let answer: Awaited<ReturnType<Webhook['review']>> | undefined
  void webhook.review(token).then((value) => {
    answer = value
  })
  while (answer === undefined) {
    await settle()
    if (answer === undefined) webhook.clock.advance(100)
    if (webhook.clock.now() - startedAtMs > 60_000) throw new Error('never answered')
  }
  return { answer, tookMs: webhook.clock.now() - startedAtMs }
}

interface Prepared {
  readonly webhook: Webhook
  readonly token: string
}

/** Brings a token into a state by real reviews, with `keystone` and `cache` working until it is there. */
const STATES: Readonly<Record<string, (keystone: { respond: typeof healthy }) => Promise<Prepared>>> = {
  'a new token': async (keystone) => ({
    webhook: await createWebhook({ keystone: (request) => keystone.respond(request) }),
    token: fernetShaped(),
  }),
  'fresh in memory': (keystone) => prepareKnown(keystone),
  'fresh in KV': async (keystone) => {
    const { webhook, token } = await prepareKnown(keystone)
    // Another isolate: the same KV, an empty memory.
    const other = await createWebhook({ keystone: (request) => keystone.respond(request), clock: webhook.clock })
    return { webhook: other, token }
  },
  'past its TTL': async (keystone) => {
    const prepared = await prepareKnown(keystone)
    prepared.webhook.clock.advance(TTL_SECONDS * 1000)
    return prepared
  },
  'remembered as refused': async (keystone) => {
    const token = fernetShaped()
    const refusing = { respond: async () => Response.json(errorBody(401, 'x'), { status: 401 }) }
    let current: { respond: typeof healthy } = refusing
    const webhook = await createWebhook({ keystone: (request) => current.respond(request) })
    await webhook.review(token)
    current = keystone
    return { webhook, token }
  },
}

async function prepareKnown(keystone: { respond: typeof healthy }): Promise<Prepared> {
  const token = fernetShaped()
  let current: { respond: typeof healthy } = { respond: healthy }
  const webhook = await createWebhook({ keystone: (request) => current.respond(request) })
  expect((await webhook.review(token)).json.status.authenticated).toBe(true)
  await webhook.background()
  current = keystone
  webhook.keystoneRequests.length = 0
  return { webhook, token }
}

const NEEDS_KEYSTONE = new Set(['a new token', 'past its TTL'])
const YES = { authenticated: true, user: expect.objectContaining({ username: 'alice' }) }
const CANNOT_TELL = { authenticated: false, error: expect.stringContaining('Keystone') }

describe.each(Object.entries(KEYSTONE_FAULTS))('Keystone: %s', (fault, { respond, reason }) => {
  const isUnreachable = ['keystone_network', 'keystone_timeout'].includes(reason) || ['500', '503'].includes(fault)
  it.each(Object.entries(STATES))('%s', async (state, prepare) => {
    const { webhook, token } = await prepare({ respond })
    const before = webhook.keystoneRequests.length
    const { answer, tookMs } = await reviewTimed(webhook, token)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Retry-After')).toBeNull()
    const isStale = state === 'past its TTL' && isUnreachable
    const cannotTell = NEEDS_KEYSTONE.has(state) && !isStale
    expect(answer.json.status).toEqual(
      cannotTell ? CANNOT_TELL : state === 'remembered as refused' ? { authenticated: false } : YES,
    )
    if (cannotTell) expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'unknown', reason })
    expect(webhook.reviews().at(-1)?.source === 'stale').toBe(isStale)
    // A lost connection is tried once more; nothing else is.
    const attempts = reason === 'keystone_network' ? 2 : 1
    expect(webhook.keystoneRequests.length - before).toBe(NEEDS_KEYSTONE.has(state) ? attempts : 0)
    expect(tookMs).toBeLessThanOrEqual(NEEDS_KEYSTONE.has(state) ? 5000 : 0)
  })

  it('is not remembered: the next review of the token asks again', async () => {
    let current = respond
    const webhook = await createWebhook({ keystone: (request) => (current === respond ? current() : healthy(request)) })
    const token = fernetShaped()
    await reviewTimed(webhook, token)
    current = async () => new Response()
    expect((await reviewTimed(webhook, token)).answer.json.status).toEqual(YES)
  })
})

describe.each(Object.entries(KEYSTONE_FAULTS))(
  'Keystone fails while groups are read: %s',
  (fault, { respond, reason }) => {
    const groupsRefused = fault === '403' || fault === 'a page, 404'
    it(groupsRefused ? 'no groups, reported' : 'cannot tell, within the time', async () => {
      const webhook = await createWebhook({
        keystone: (request) => (request.url.endsWith('/groups') ? respond() : healthy(request)),
      })
      const { answer, tookMs } = await reviewTimed(webhook, fernetShaped())
      expect(answer.json.status).toEqual(groupsRefused ? YES : CANNOT_TELL)
      expect(webhook.reviews()[0]?.reason).toBe(groupsRefused ? 'groups_refused' : reason)
      expect(webhook.keystoneRequests).toHaveLength(reason === 'keystone_network' ? 3 : 2)
      expect(tookMs).toBeLessThanOrEqual(2 * 5000 + 1000)
    })
  },
)

describe.each(Object.entries(KV_FAULTS))('KV: %s', (fault, cache) => {
  it('costs time, never a wrong answer or a failed review', async () => {
    const clock = createClock()
    const token = fernetShaped()
    for (const expectedRequests of [2, 2]) {
      // Each a new isolate, so that memory never answers.
      const webhook = await createWebhook({ keystone: healthy, clock, cache })
      const { answer, tookMs } = await reviewTimed(webhook, token)
      expect(answer.json.status).toEqual(YES)
      // A new isolate asks CACHE for the last good callers, for the last good mapping and for the identity.
      expect(tookMs).toBeLessThanOrEqual(3 * 500)
      expect(webhook.keystoneRequests.length).toBeLessThanOrEqual(expectedRequests)
      const codes = webhook.log.filter((line) => line.event === 'error').map((line) => line.code)
      await settle()
      if (fault === 'reads hang') expect(codes).toContain('kv_read_slow')
      if (fault.startsWith('reads fail') || fault.startsWith('reads throw')) expect(codes).toContain('kv_read_failed')
      if (fault === 'writes fail') expect(codes).toContain('kv_write_failed')
    }
  })

  it('with Keystone down as well, a user in memory goes on and a new one cannot be told', async () => {
    let down = false
    const webhook = await createWebhook({
      cache,
      keystone: (request) => (down ? Promise.reject(new TypeError('refused')) : healthy(request)),
    })
    const known = fernetShaped()
    await reviewTimed(webhook, known)
    down = true
    expect((await reviewTimed(webhook, known)).answer.json.status).toEqual(YES)
    expect((await reviewTimed(webhook, fernetShaped())).answer.json.status).toEqual(CANNOT_TELL)
  })

  it('a refused token stays refused', async () => {
    const webhook = await createWebhook({
      cache,
      keystone: async () => Response.json(errorBody(404, 'x'), { status: 404 }),
    })
    const token = fernetShaped()
    for (let times = 0; times < 2; times += 1) {
      expect((await reviewTimed(webhook, token)).answer.json.status).toEqual({ authenticated: false })
    }
    expect(webhook.keystoneRequests).toHaveLength(1)
  })
})

describe('everything is slow at once', () => {
  it('a review is answered within 2 × KEYSTONE_TIMEOUT_MS + 1 s, and before 10 s', async () => {
    for (const [timeoutMs, boundMs] of [
      [2000, 5000],
      [5000, 10_000],
      [10_000, 10_000],
    ] as const) {
      const clock = createClock()
      const cache = KV_FAULTS['reads hang']
      const webhook = await createWebhook({
        clock,
        ...(cache && { cache }),
        vars: { KEYSTONE_TIMEOUT_MS: timeoutMs },
        keystone: async (request) => {
          if (request.url.endsWith('/groups')) return new Promise(() => undefined)
          clock.advance(Math.min(timeoutMs - 100, 8000))
          return healthy(request)
        },
      })
      const { answer, tookMs } = await reviewTimed(webhook, fernetShaped())
      expect(answer.json.status).toEqual(CANNOT_TELL)
      expect(tookMs).toBeLessThanOrEqual(boundMs)
    }
  })
})
