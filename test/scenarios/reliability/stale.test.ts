import { describe, expect, it } from 'vitest'
import { START_MS, settle } from '../../support/clock.ts'
import { faulty } from '../../support/faults.ts'
import { errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook, type Webhook, type WebhookOptions } from '../../support/webhook.ts'

type Keystone = (request: Request) => Promise<Response>

const TTL_MS = 120_000
const STALE_MS = 300_000
const YES = { authenticated: true, user: expect.objectContaining({ username: 'alice' }) }
const CANNOT_TELL = { authenticated: false, error: expect.stringContaining('Keystone') }

const healthy = async (request: Request): Promise<Response> =>
  Response.json(request.url.endsWith('/groups') ? groupsBody([]) : tokenBody({ expiresAtMs: START_MS + 3_600_000 }))
const unreachable: Keystone = () => Promise.reject(new TypeError('refused'))
const refusing: Keystone = async () => Response.json(errorBody(401, 'x'), { status: 401 })

interface Prepared {
  readonly webhook: Webhook
  readonly token: string
  /** From now on Keystone is like this. */
  become(keystone: Keystone): void
}

/** A webhook that has validated a token. */
async function prepare(options: Partial<WebhookOptions> = {}): Promise<Prepared> {
  let current: Keystone = options.keystone ?? healthy
  const webhook = await createWebhook({ ...options, keystone: (request) => current(request) })
  const token = fernetShaped()
  expect((await webhook.review(token)).json.status.authenticated).toBe(true)
  await webhook.background()
  return {
    webhook,
    token,
    become(keystone) {
      current = keystone
    },
  }
}

const lastSource = (webhook: Webhook): unknown => webhook.reviews().at(-1)?.source

describe('an identity past its time, while Keystone is unreachable', () => {
  it('is served, marked in the audit line and in extra, for STALE_IF_ERROR_SECONDS and no longer', async () => {
    const { webhook, token, become } = await prepare()
    become(unreachable)
    webhook.clock.advance(TTL_MS)
    const answer = await webhook.review(token)
    expect(answer.json.status).toEqual(YES)
    expect(answer.json.status.user.extra['keystone-edge-auth/stale']).toEqual(['true'])
    expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'allow', reason: 'authenticated', source: 'stale' })
    webhook.clock.advance(STALE_MS - 1)
    expect((await webhook.review(token)).json.status).toEqual(YES)
    webhook.clock.advance(1)
    expect((await webhook.review(token)).json.status).toEqual(CANNOT_TELL)
  })

  it('is not marked before its time is up, nor once Keystone is back', async () => {
    const { webhook, token, become } = await prepare()
    become(unreachable)
    webhook.clock.advance(TTL_MS - 1)
    const before = await webhook.review(token)
    await webhook.background()
    webhook.clock.advance(1)
    const during = await webhook.review(token)
    become(healthy)
    webhook.clock.advance(5_000)
    await webhook.review(token)
    await webhook.background()
    const after = await webhook.review(token)
    const marks = [before, during, after].map(({ json }) => json.status.user.extra['keystone-edge-auth/stale'])
    expect(marks).toEqual([undefined, ['true'], undefined])
    expect(lastSource(webhook)).toBe('memory')
  })

  it('is found in KV by an isolate that has never seen the token', async () => {
    const { webhook, token } = await prepare()
    webhook.clock.advance(TTL_MS + STALE_MS - 1)
    const isolate = await createWebhook({ keystone: unreachable, clock: webhook.clock })
    expect((await isolate.review(token)).json.status).toEqual(YES)
    expect(lastSource(isolate)).toBe('stale')
    webhook.clock.advance(1)
    expect((await isolate.review(token)).json.status).toEqual(CANNOT_TELL)
  })

  it("is never served past the token's own end", async () => {
    const { webhook, token, become } = await prepare({
      keystone: async (request) =>
        request.url.endsWith('/groups')
          ? healthy(request)
          : Response.json(tokenBody({ expiresAtMs: START_MS + TTL_MS + 10_000 })),
    })
    become(unreachable)
    webhook.clock.advance(TTL_MS + 9_999)
    expect((await webhook.review(token)).json.status).toEqual(YES)
    webhook.clock.advance(1)
    expect((await webhook.review(token)).json.status.authenticated).toBe(false)
    const isolate = await createWebhook({ keystone: unreachable, clock: webhook.clock })
    expect((await isolate.review(token)).json.status.authenticated).toBe(false)
  })

  it('is not served with STALE_IF_ERROR_SECONDS 0', async () => {
    const { webhook, token, become } = await prepare({ vars: { STALE_IF_ERROR_SECONDS: 0 } })
    become(unreachable)
    webhook.clock.advance(TTL_MS)
    expect((await webhook.review(token)).json.status).toEqual(CANNOT_TELL)
  })

  it('is not served when its groups are not known and the mapping reads them now', async () => {
    const { webhook, token, become } = await prepare({ documents: { mapping: { groups: { keystone: false } } } })
    become(unreachable)
    webhook.clock.advance(TTL_MS)
    const isolate = await createWebhook({ keystone: unreachable, clock: webhook.clock, documents: { mapping: {} } })
    expect((await isolate.review(token)).json.status).toEqual(CANNOT_TELL)
  })

  it('is under the mapping of now: a user who is denied meanwhile is refused', async () => {
    const { webhook, token } = await prepare()
    webhook.clock.advance(TTL_MS)
    const documents = { mapping: { allow: { projects: ['another'] } } }
    const isolate = await createWebhook({ keystone: unreachable, clock: webhook.clock, documents })
    expect((await isolate.review(token)).json.status).toEqual({ authenticated: false })
  })
})

describe('a definite no', () => {
  it('ends it here, although KV goes on serving what was removed', async () => {
    // Edge caches of KV serve a removed value for a while.
    const cache = { ...faulty({}), delete: async () => undefined }
    const { webhook, token, become } = await prepare({ cache, vars: { REJECTION_TTL_SECONDS: 10 } })
    webhook.clock.advance(TTL_MS - 1)
    become(refusing)
    await webhook.review(token)
    await webhook.background()
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
    webhook.clock.advance(10_000)
    become(unreachable)
    expect((await webhook.review(token)).json.status).toEqual(CANNOT_TELL)
  })
})

describe('Keystone that is reached again without a verdict', () => {
  it.each([400, 403, 429, 302])('with %i: nothing stale is served from then on', async (status) => {
    const { webhook, token, become } = await prepare()
    become(unreachable)
    webhook.clock.advance(TTL_MS)
    await webhook.review(token)
    expect(lastSource(webhook)).toBe('stale')
    become(async () => new Response('x', { status }))
    webhook.clock.advance(5_000)
    await webhook.review(token)
    await webhook.background()
    await webhook.review(token)
    expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'unknown' })
  })
})

describe('while Keystone is known to be unreachable', () => {
  it('nobody waits: what is stale is served at once, and asked about again behind the answer', async () => {
    const { webhook, token, become } = await prepare()
    become(() => new Promise(() => undefined))
    webhook.clock.advance(TTL_MS)
    const first = webhook.review(token)
    await settle()
    webhook.clock.advance(5_000)
    expect((await first).json.status).toEqual(YES)
    const asked = webhook.keystoneRequests.length
    for (const seconds of [0, 2, 2]) {
      webhook.clock.advance(seconds * 1000)
      expect((await webhook.review(token)).json.status).toEqual(YES)
      expect(lastSource(webhook)).toBe('stale')
    }
    expect(webhook.keystoneRequests).toHaveLength(asked)
    webhook.clock.advance(1_000)
    expect((await webhook.review(token)).json.status).toEqual(YES)
    await settle()
    expect(webhook.keystoneRequests).toHaveLength(asked + 1)
    webhook.clock.advance(5_000)
    await webhook.background()
  })

  it('long after the last failure it is asked first', async () => {
    const { webhook, token, become } = await prepare()
    become(unreachable)
    webhook.clock.advance(TTL_MS)
    await webhook.review(token)
    become(refusing)
    webhook.clock.advance(60_000)
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
  })
})
