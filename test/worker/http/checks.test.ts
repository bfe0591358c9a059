import { describe, expect, it } from 'vitest'
import { VERSION } from '../../../src/lib/version.ts'
import { createClock } from '../../support/clock.ts'
import { groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import {
  CALLER_TOKEN,
  createWebhook,
  OTHER_CALLER_TOKEN,
  reviewBody,
  sha256,
  type Webhook,
} from '../../support/webhook.ts'

async function keystone(request: Request): Promise<Response> {
  return Response.json(request.url.endsWith('/groups') ? groupsBody([]) : tokenBody())
}

function post(webhook: Webhook, path: string, headers: Record<string, string>, body: BodyInit = '{}') {
  return webhook.send(path, { method: 'POST', headers, body })
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
const CALLER = { Authorization: `Bearer ${CALLER_TOKEN}` }
const OTHER_CALLER = { Authorization: `Bearer ${OTHER_CALLER_TOKEN}` }

describe('what is no review gets a Status that helps', () => {
  const cases: [string, (webhook: Webhook) => ReturnType<Webhook['send']>, number, string, string][] = [
    ['an unknown path', (w) => post(w, '/nowhere', {}), 404, 'NotFound', '/webhook'],
    ['an unknown path below a cluster', (w) => post(w, '/clusters/prod-1/other', CALLER), 404, 'NotFound', '/webhook'],
    ['a GET', (w) => w.send('/webhook'), 405, 'MethodNotAllowed', 'POST'],
    ['a PUT to a cluster', (w) => w.send('/clusters/x/webhook', { method: 'PUT' }), 405, 'MethodNotAllowed', 'POST'],
    ['a POST to healthz', (w) => post(w, '/healthz', {}), 405, 'MethodNotAllowed', 'GET'],
    ['no credential', (w) => post(w, '/webhook', {}), 401, 'Unauthorized', 'no caller credential'],
    ['basic credentials', (w) => post(w, '/webhook', { Authorization: 'Basic eDp5' }), 401, 'Unauthorized', 'unknown'],
    [
      'an unknown credential',
      (w) => post(w, '/webhook', { Authorization: 'Bearer x' }),
      401,
      'Unauthorized',
      'callers',
    ],
    [
      'the digest instead of the credential',
      async (w) => post(w, '/webhook', { Authorization: `Bearer ${await sha256(CALLER_TOKEN)}` }),
      401,
      'Unauthorized',
      'unknown',
    ],
    ['another cluster', (w) => post(w, '/clusters/prod-1/webhook', OTHER_CALLER), 403, 'Forbidden', 'another cluster'],
    ['a cluster nobody has', (w) => post(w, '/clusters/nope/webhook', CALLER), 403, 'Forbidden', 'another cluster'],
    [
      'more than 4 MiB',
      (w) => post(w, '/webhook', { ...CALLER, ...JSON_TYPE }, ' '.repeat(4 * 1024 * 1024 + 1)),
      413,
      'RequestEntityTooLarge',
      '4 MiB',
    ],
    ['an empty body', (w) => post(w, '/webhook', { ...CALLER, ...JSON_TYPE }, ''), 400, 'BadRequest', 'not JSON'],
    ['half a body', (w) => post(w, '/webhook', { ...CALLER, ...JSON_TYPE }, '{"a":'), 400, 'BadRequest', 'not JSON'],
  ]
  for (const [name, send, code, reason, hint] of cases) {
    it(`${name}: ${code}`, async () => {
      const answer = await send(await createWebhook({ keystone }))
      expect(answer.status).toBe(code)
      expect(answer.json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code })
      expect(answer.json.message).toContain(hint)
      expect(answer.headers.get('Retry-After')).toBeNull()
      expect(answer.headers.get('Content-Type')).toBe('application/json')
    })
  }

  it.each([undefined, 'application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8'])(
    'reads the body as JSON when the Content-Type is %s',
    async (type) => {
      const webhook = await createWebhook({ keystone })
      const headers = { ...CALLER, ...(type !== undefined && { 'Content-Type': type }) }
      // Bytes carry no Content-Type of their own.
      const answer = await post(
        webhook,
        '/webhook',
        headers,
        new TextEncoder().encode(JSON.stringify(reviewBody('garbage'))),
      )
      expect([answer.status, answer.json.status]).toEqual([200, { authenticated: false }])
    },
  )

  it('says which method is allowed', async () => {
    const webhook = await createWebhook({ keystone })
    expect((await webhook.send('/webhook')).headers.get('Allow')).toBe('POST')
    expect((await webhook.send('/healthz', { method: 'DELETE' })).headers.get('Allow')).toBe('GET, HEAD')
  })

  it('asks for a bearer credential', async () => {
    const webhook = await createWebhook({ keystone })
    expect((await post(webhook, '/webhook', {})).headers.get('WWW-Authenticate')).toMatch(/^Bearer /)
  })

  it('checks the credential before the body, so that strangers learn nothing and cost nothing', async () => {
    const webhook = await createWebhook({ keystone })
    expect((await post(webhook, '/webhook', { 'Content-Type': 'text/plain' }, 'x')).status).toBe(401)
    expect(
      (await post(webhook, '/clusters/prod-2/webhook', { ...CALLER, 'Content-Type': 'text/plain' }, 'x')).status,
    ).toBe(403)
  })
})

describe('the body of a review', () => {
  const valid = reviewBody('x')
  const cases: [string, unknown, string][] = [
    ['a list', [], '(body)'],
    ['a number', 5, '(body)'],
    ['null', null, '(body)'],
    ['nothing', {}, 'apiVersion'],
    ['another version', { ...valid, apiVersion: 'authentication.k8s.io/v2' }, 'apiVersion'],
    ['another kind', { ...valid, kind: 'Pod' }, 'kind'],
    ['no spec', { ...valid, spec: undefined }, 'spec'],
    ['a spec that is a list', { ...valid, spec: [] }, 'spec'],
    ['no token', { ...valid, spec: {} }, 'spec.token'],
    ['a token that is a number', { ...valid, spec: { token: 5 } }, 'spec.token'],
    ['a token that is null', { ...valid, spec: { token: null } }, 'spec.token'],
    ['keys in another case', { ...valid, spec: { Token: 'x' } }, 'spec.token'],
    ['audiences that are no list', { ...valid, spec: { token: 'x', audiences: 'x' } }, 'spec.audiences'],
    ['an audience that is a number', { ...valid, spec: { token: 'x', audiences: [1] } }, 'spec.audiences[0]'],
  ]
  for (const [name, body, path] of cases) {
    it(`${name}: 400 that names ${path}`, async () => {
      const webhook = await createWebhook({ keystone })
      const answer = await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, JSON.stringify(body))
      expect(answer.status).toBe(400)
      expect(answer.json.message.split(': ')[0]).toBe(path)
      expect(answer.json.message).toMatch(/: (is missing; )?(expected|is not)/)
    })
  }

  it('never comes back, wherever the token was put', async () => {
    const webhook = await createWebhook({ keystone })
    const secret = fernetShaped()
    const misplaced = [
      { ...valid, kind: secret },
      { ...valid, apiVersion: secret },
      { ...valid, spec: secret },
      { ...valid, spec: { token: [secret] } },
      { ...valid, spec: { token: 'x', audiences: secret } },
      secret,
    ]
    for (const body of misplaced) {
      const answer = await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, JSON.stringify(body))
      expect(answer.status).toBe(400)
      expect(answer.text).not.toContain(secret)
    }
    const broken = await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, `{"spec": ${secret}`)
    expect(broken.status).toBe(400)
    expect(broken.text).not.toContain(secret.slice(0, 20))
  })

  it('may have unknown fields, no metadata, null audiences, a charset and a trailing newline', async () => {
    const webhook = await createWebhook({ keystone })
    const body = `${JSON.stringify({ ...valid, metadata: undefined, more: 1, spec: { token: fernetShaped(), audiences: null, x: {} } })}\n`
    const answer = await post(
      webhook,
      '/webhook',
      { ...CALLER, 'Content-Type': 'Application/JSON; charset=utf-8' },
      body,
    )
    expect(answer.json.status.authenticated).toBe(true)
  })

  it('that breaks off on the way is a bad request and no bug', async () => {
    const webhook = await createWebhook({ keystone })
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error('Network connection lost.')),
    })
    const answer = await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, broken)
    expect([answer.status, answer.json.reason]).toEqual([400, 'BadRequest'])
    expect(webhook.log).toEqual([])
  })

  it('may come without a length, up to 4 MiB', async () => {
    const webhook = await createWebhook({ keystone })
    const stream = (text: string) => new Response(text).body as BodyInit
    const review = JSON.stringify(reviewBody(fernetShaped()))
    expect((await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, stream(review))).status).toBe(200)
    const large = stream(' '.repeat(4 * 1024 * 1024 + 1))
    expect((await post(webhook, '/webhook', { ...CALLER, ...JSON_TYPE }, large)).status).toBe(413)
  })
})

describe('routes', () => {
  it('take a trailing slash and a query', async () => {
    const webhook = await createWebhook({ keystone })
    for (const path of [
      '/webhook',
      '/webhook/',
      '/webhook?timeout=30s',
      '/clusters/prod-1/webhook',
      '/clusters/prod-1/webhook/?timeout=10s',
    ]) {
      const answer = await webhook.review(fernetShaped(), { path })
      expect([path, answer.status, answer.json.status?.authenticated]).toEqual([path, 200, true])
    }
  })

  it('healthz needs no credential and says the version', async () => {
    const webhook = await createWebhook({ keystone, vars: { KEYSTONE_URL: 'nonsense' } })
    const answer = await webhook.send('/healthz/')
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok', version: VERSION }])
  })

  it('a caller is remembered only when it was accepted, and stays bound to its cluster', async () => {
    const webhook = await createWebhook({ keystone })
    for (let times = 0; times < 3; times += 1) {
      expect(
        (await webhook.review(fernetShaped(), { caller: OTHER_CALLER_TOKEN, path: '/clusters/prod-2/webhook' })).status,
      ).toBe(200)
      expect(
        (await webhook.review(fernetShaped(), { caller: OTHER_CALLER_TOKEN, path: '/clusters/prod-1/webhook' })).status,
      ).toBe(403)
      expect((await webhook.review(fernetShaped(), { caller: 'stranger' })).status).toBe(401)
    }
  })
})

describe('faulty settings', () => {
  it('answer "cannot tell" to known callers, and are logged once with all faults', async () => {
    const webhook = await createWebhook({
      keystone,
      vars: { KEYSTONE_URL: 'http://keystone.example.org/v3', IDENTITY_TTL_SECONDS: '301', CACHE_KEYS: 'x' },
    })
    for (let times = 0; times < 2; times += 1) {
      const answer = await webhook.review(fernetShaped())
      expect(answer.status).toBe(200)
      expect(answer.json.status).toEqual({
        authenticated: false,
        error: expect.stringContaining('settings are faulty'),
      })
    }
    expect(webhook.keystoneRequests).toHaveLength(0)
    const faults = webhook.log.filter((line) => line.code === 'settings_faulty')
    expect(faults).toHaveLength(1)
    const listed = faults.flatMap((line) => line.faults as { path: string }[])
    expect(listed.map(({ path }) => path).sort()).toEqual(['CACHE_KEYS', 'IDENTITY_TTL_SECONDS', 'KEYSTONE_URL'])
  })

  it('without readable callers nobody is let in', async () => {
    const webhook = await createWebhook({ keystone, vars: { CALLERS: '{"prod-1": {"credentials": "*"}}' } })
    const answer = await webhook.review(fernetShaped())
    expect([answer.status, answer.json.message]).toEqual([401, expect.stringContaining('CALLERS')])
  })
})

describe('an exception that nobody foresaw', () => {
  it('is "cannot tell" in the version asked, and its message stays inside', async () => {
    const secret = 'the platform printed a secret'
    const clock = createClock()
    let broken = false
    const startTimer: typeof clock.startTimer = (ms, callback) => {
      if (broken) throw new TypeError(secret)
      return clock.startTimer(ms, callback)
    }
    const webhook = await createWebhook({ keystone, clock: { ...clock, startTimer } })
    await webhook.review('loads the documents')
    broken = true
    const answer = await webhook.review(fernetShaped(), { version: 'v1beta1' })
    expect(answer.status).toBe(200)
    expect(answer.json.apiVersion).toBe('authentication.k8s.io/v1beta1')
    expect(answer.json.status).toEqual({ authenticated: false, error: expect.stringContaining('keystone-edge-auth') })
    expect(answer.text + JSON.stringify(webhook.log)).not.toContain(secret)
    expect(webhook.log.find((line) => line.code === 'unexpected')).toMatchObject({ error: 'TypeError' })
  })
})
