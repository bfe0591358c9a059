import { describe, expect, it } from 'vitest'
import { createStage, timed } from '../../support/documents-stage.ts'
import { CALLER_TOKEN, OTHER_CALLER_TOKEN, putDocument, type WebhookOptions } from '../../support/webhook.ts'

const BASIC_AUTH_URL = 'https://basic.test/check'
type Respond = (authorization: string | null, request: Request) => Response | Promise<Response>

const unauthorized = () => new Response('who are you?', { status: 401, headers: { 'WWW-Authenticate': 'Basic' } })
const accept: Respond = (authorization) =>
  authorization === `Basic ${btoa('user1:pass1')}` ? new Response('welcome') : unauthorized()

/** An isolate with a Basic service that answers as told; `asked` has the credentials of each request. */
async function prepare(
  respond: Respond = accept,
  vars: Record<string, unknown> = { BASIC_AUTH_URL },
  authenticators: unknown = {},
) {
  const stage = await createStage()
  await putDocument('mapping', {})
  await putDocument('authenticators', authenticators)
  const service = { respond }
  const asked: (string | null)[] = []
  const keystone = async (request: Request): Promise<Response> => {
    if (request.url !== BASIC_AUTH_URL) throw new Error('Keystone must not be asked')
    const authorization = request.headers.get('Authorization')
    asked.push(authorization === null ? null : atob(authorization.slice('Basic '.length)))
    return service.respond(authorization, request)
  }
  const isolateWith = (options: Partial<WebhookOptions> = {}) => stage.isolate({ keystone, vars, ...options })
  return { stage, service, asked, isolate: await isolateWith(), isolateWith }
}

describe('a token user:password', () => {
  it('is its user when the service accepts it, with the groups of the document, and memory answers the next review', async () => {
    const { isolate, asked } = await prepare(
      accept,
      { BASIC_AUTH_URL },
      { basic: { groups: ['legacy'], users: { user1: ['developers'] } } },
    )
    for (const source of ['basic', 'basic']) {
      expect((await isolate.review('user1:pass1')).json.status).toEqual({
        authenticated: true,
        user: {
          username: 'basic:user1',
          uid: 'basic:user1',
          groups: ['developers', 'legacy'],
          extra: { 'keystone-edge-auth/authenticator': ['basic'] },
        },
      })
      expect(isolate.reviews().at(-1)).toMatchObject({ decision: 'allow', source, user: 'basic:user1' })
    }
    expect(asked).toEqual([null, 'user1:pass1'])
  })

  it.each([401, 403])(
    'is a definite no when the service answers %i, remembered for REJECTION_TTL_SECONDS',
    async (status) => {
      const { stage, isolate, asked } = await prepare((authorization) =>
        authorization === null ? unauthorized() : new Response(null, { status }),
      )
      for (let times = 0; times < 3; times += 1) {
        expect((await isolate.review('user1:pass2')).json.status).toEqual({ authenticated: false })
      }
      expect(asked).toEqual([null, 'user1:pass2'])
      stage.clock.advance(30_000)
      await isolate.review('user1:pass2')
      expect(asked).toHaveLength(3)
    },
  )

  it('is asked again after IDENTITY_TTL_SECONDS, and never served stale', async () => {
    const { stage, service, isolate } = await prepare()
    await isolate.review('user1:pass1')
    stage.clock.advance(119_999)
    service.respond = () => Promise.reject(new Error('down'))
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    stage.clock.advance(1)
    expect((await isolate.review('user1:pass1')).json.status).toEqual({
      authenticated: false,
      error: expect.stringContaining('HTTP Basic'),
    })
    expect(isolate.reviews().at(-1)).toMatchObject({ decision: 'unknown', reason: 'basic_network', source: 'basic' })
  })

  const unknown: [string, Respond, string][] = [
    ['answers 500', () => new Response(null, { status: 500 }), 'basic_status'],
    ['answers 404', () => new Response(null, { status: 404 }), 'basic_status'],
    [
      'redirects',
      () => new Response(null, { status: 302, headers: { Location: 'https://elsewhere.test/' } }),
      'basic_redirect',
    ],
    ['resets the connection', () => Promise.reject(new Error('lost')), 'basic_network'],
  ]
  it.each(unknown)('is "cannot tell" when the service %s', async (_what, respond, reason) => {
    const { isolate, asked } = await prepare((authorization, request) =>
      authorization === null ? unauthorized() : respond(authorization, request),
    )
    const { status, headers, json } = await isolate.review('user1:pass1')
    expect([status, headers.get('Retry-After'), json.status.error]).toEqual([200, null, expect.any(String)])
    expect(isolate.reviews().at(-1)?.reason).toBe(reason)
    expect(asked.filter((credentials) => credentials !== null)).toHaveLength(1)
  })

  it('is "cannot tell" within the time of a review when the service hangs', async () => {
    const { stage, isolate } = await prepare((authorization) =>
      authorization === null ? unauthorized() : new Promise(() => undefined),
    )
    const { value, tookMs } = await timed(stage.clock, isolate.review('user1:pass1'))
    expect(value.json.status.error).toContain('HTTP Basic')
    expect(tookMs).toBeLessThanOrEqual(9_000)
    expect(isolate.reviews().at(-1)?.reason).toBe('basic_timeout')
  })

  it('is asked about once when many reviews come at once', async () => {
    const { isolate, asked } = await prepare()
    const answers = await Promise.all(Array.from({ length: 30 }, () => isolate.review('user1:pass1')))
    expect(answers.every(({ json }) => json.status.authenticated)).toBe(true)
    expect(asked).toEqual([null, 'user1:pass1'])
  })

  it('splits at the first colon', async () => {
    const { isolate, asked } = await prepare()
    await isolate.review('user1:pass:1')
    expect(asked).toEqual([null, 'user1:pass:1'])
  })

  it.each([':', ':pass', 'user:', 'user1:pass\n1', 'user\n1:pass', `user1:${'p'.repeat(16_384)}`, 'usér:pass'])(
    'is a definite no without a request for %j',
    async (token) => {
      const { isolate, asked } = await prepare()
      expect((await isolate.review(token)).json.status).toEqual({ authenticated: false })
      expect(asked).toEqual([])
    },
  )

  it('of a user name of the system is refused though the service accepts it', async () => {
    const { isolate } = await prepare((authorization) => (authorization === null ? unauthorized() : new Response('')))
    expect((await isolate.review('system:masters')).json.status).toMatchObject({
      authenticated: true,
      user: { username: 'basic:system' },
    })
    const other = await prepare(
      (authorization) => (authorization === null ? unauthorized() : new Response('')),
      { BASIC_AUTH_URL },
      { basic: { username: 'system{user}' } },
    )
    expect((await other.isolate.review('x:y')).json.status.authenticated).toBe(true)
  })

  it('leaves its password in no log line and no value of KV', async () => {
    const { stage, isolate } = await prepare()
    await isolate.review('user1:pass1-secret')
    await isolate.review('user1:pass1')
    await isolate.background()
    const everything = JSON.stringify([isolate.log, stage.cache.puts])
    for (const secret of ['pass1', btoa('user1:pass1')]) expect(everything).not.toContain(secret)
  })

  it('is of one cluster what it is of another, and counts against the limit of each', async () => {
    const keys: string[] = []
    const LOOKUPS = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key)
        return { success: key === 'prod-1:new' }
      },
    }
    const { isolate } = await prepare(accept, { BASIC_AUTH_URL, LOOKUPS })
    expect((await isolate.review('user1:pass1', { caller: OTHER_CALLER_TOKEN })).json.status.error).toBeDefined()
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    expect(keys).toEqual(['prod-2:new', 'prod-1:new'])
  })
})

describe('guessing passwords', () => {
  it('is slowed: after 10 wrong ones for a user and cluster, "cannot tell" for the rest of the minute', async () => {
    const { stage, isolate, asked } = await prepare()
    await isolate.review('user1:pass1')
    for (let guess = 0; guess < 10; guess += 1) {
      expect((await isolate.review(`user1:wrong${guess}`)).json.status).toEqual({ authenticated: false })
      stage.clock.advance(1_000)
    }
    const asking = asked.length
    expect((await isolate.review('user1:wrong10')).json.status.error).toContain('wrong passwords')
    expect(isolate.reviews().at(-1)).toMatchObject({ reason: 'basic_guessing' })
    expect(asked).toHaveLength(asking)
    // Who is logged in stays so; other users and clusters are not held up.
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    expect((await isolate.review('user2:wrong')).json.status).toEqual({ authenticated: false })
    expect((await isolate.review('user1:wrong10', { caller: OTHER_CALLER_TOKEN })).json.status).toEqual({
      authenticated: false,
    })
    stage.clock.advance(60_000)
    expect((await isolate.review('user1:wrong11')).json.status).toEqual({ authenticated: false })
  })
})

describe('strangers with wrong passwords', () => {
  it('evict no accepted user from memory', async () => {
    const { isolate, asked } = await prepare()
    await isolate.review('user1:pass1')
    for (let user = 0; user < 150; user += 1) await isolate.review(`stranger${user}:${'x'.repeat(16_000)}`)
    const before = asked.length
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    expect(asked).toHaveLength(before)
  })

  it('do not keep out a user who was accepted before, past IDENTITY_TTL_SECONDS either', async () => {
    const { stage, isolate } = await prepare()
    await isolate.review('user1:pass1')
    stage.clock.advance(120_000)
    for (let guess = 0; guess < 10; guess += 1) await isolate.review(`user1:wrong${guess}`)
    expect((await isolate.review('user1:wrong10')).json.status.error).toBeDefined()
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
  })

  it('get no more than 10 and the slots when they come at once', async () => {
    const { isolate, asked } = await prepare()
    await Promise.all(Array.from({ length: 300 }, (_, guess) => isolate.review(`user1:wrong${guess}`)))
    expect(asked.length).toBeLessThanOrEqual(1 + 10 + 16)
  })
})

describe('HTTP Basic is off', () => {
  it('without BASIC_AUTH_URL: a definite no without a request', async () => {
    const { isolate, asked } = await prepare(accept, {})
    expect((await isolate.review('user1:pass1')).json.status).toEqual({ authenticated: false })
    expect(asked).toEqual([])
  })

  it.each([200, 204, 302])(
    'when the URL answers %i without credentials: reported, and nobody gets in',
    async (status) => {
      const { stage, service, isolate, asked } = await prepare(
        () => new Response(null, { status, headers: { Location: 'https://x.test/' } }),
      )
      expect((await isolate.review('user1:pass1')).json.status).toEqual({ authenticated: false })
      expect(asked).toEqual([null])
      expect(isolate.log.filter(({ code }) => code === 'basic_unprotected')).toMatchObject([{ status }])
      expect((await isolate.ready(CALLER_TOKEN)).json.warnings).toEqual([
        { path: 'BASIC_AUTH_URL', message: `answers ${status} without credentials instead of 401: HTTP Basic is off` },
      ])
      // Checked again after half a minute, which is how long a refusal is remembered.
      service.respond = accept
      stage.clock.advance(30_000)
      expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    },
  )

  it.each([403, 404, 429, 503])(
    'when the URL answers %i without credentials: cannot tell, and reported',
    async (status) => {
      const { service, isolate, asked } = await prepare(() => new Response(null, { status }))
      expect((await isolate.review('user1:pass1')).json.status.error).toBeDefined()
      expect([asked, isolate.reviews().at(-1)?.reason]).toEqual([[null], 'basic_unchecked'])
      expect(isolate.log.filter(({ code }) => code === 'basic_unprotected')).toMatchObject([{ status }])
      service.respond = accept
      expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    },
  )

  it.each([404, 429, 503])('is not what an odd answer (%i) to a later check means', async (status) => {
    const { stage, service, isolate } = await prepare()
    await isolate.review('user1:pass1')
    stage.clock.advance(600_000)
    service.respond = (authorization, request) =>
      authorization === null ? new Response(null, { status }) : accept(authorization, request)
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    // No 401 for 20 minutes: it is not known any more whether the URL asks for credentials.
    stage.clock.advance(600_000)
    expect((await isolate.review('user1:pass1')).json.status.error).toBeDefined()
    expect(isolate.reviews().at(-1)?.reason).toBe('basic_unchecked')
  })

  it('when the URL begins to accept everybody: found at the next check', async () => {
    const { stage, service, isolate } = await prepare()
    expect((await isolate.review('user1:pass1')).json.status.authenticated).toBe(true)
    service.respond = () => new Response('hello')
    stage.clock.advance(600_000)
    expect((await isolate.review('mallory:x')).json.status).toEqual({ authenticated: false })
  })
})
