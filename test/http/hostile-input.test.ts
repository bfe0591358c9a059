import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClock } from '../support/clock.ts'
import { createDemoKeystone } from '../support/demo-keystone.ts'
import { fernetShaped, jwsShaped } from '../support/tokens.ts'
import { CALLER_TOKEN, createWebhook, KEYSTONE_URL, reviewBody } from '../support/webhook.ts'

// Whatever arrives: no exception, no 5xx, no redirect, no Retry-After, and no yes that Keystone did not give.

const HEADERS = { 'Content-Type': 'application/json', Authorization: `Bearer ${CALLER_TOKEN}` }

async function prepare() {
  const clock = createClock()
  const keystone = await createDemoKeystone({ now: clock.now, url: KEYSTONE_URL })
  return { token: await keystone.tokenOf('alice'), webhook: await createWebhook({ keystone: keystone.fetch, clock }) }
}

const garbageToken = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'binary-ascii', minLength: 160, maxLength: 300 }),
  fc.constant(0).map(() => fernetShaped()),
  fc.constant(0).map(() => jwsShaped()),
  fc.constantFrom('\r\nX-Injected: 1', '\0', 'a'.repeat(17_000), '../../v3/users', '💥'.repeat(50), '\ud800'),
)

describe('hostile input', () => {
  it('as a body makes no exception, no 5xx and no yes', async () => {
    const { webhook, token } = await prepare()
    const valid = JSON.stringify(reviewBody(token))
    const cut = fc.nat(valid.length - 1).map((at) => valid.slice(0, at))
    const flipped = fc
      .tuple(fc.nat(valid.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }))
      .map(([at, insert]) => valid.slice(0, at) + insert + valid.slice(at))
    const structured = fc
      .record({
        apiVersion: fc.oneof(
          fc.constantFrom('authentication.k8s.io/v1', 'authentication.k8s.io/v1beta1'),
          fc.jsonValue(),
        ),
        kind: fc.oneof(fc.constant('TokenReview'), fc.jsonValue()),
        spec: fc.oneof(
          fc.record({ token: fc.oneof(garbageToken, fc.jsonValue()), audiences: fc.jsonValue() }),
          fc.jsonValue(),
        ),
      })
      .map((body) => JSON.stringify(body))
    const deep = fc.integer({ min: 1, max: 50_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`)
    const prototypes = fc.constantFrom(
      '{"__proto__": {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}}}',
      '{"constructor": {"prototype": {"token": "x"}}, "spec": {"__proto__": {"token": "x"}}}',
    )
    const body = fc.oneof(cut, flipped, structured, deep, prototypes, fc.string({ unit: 'binary' }), fc.json())
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const answer = await webhook.send('/webhook', { method: 'POST', headers: HEADERS, body: text })
        expect([200, 400]).toContain(answer.status)
        expect(answer.headers.get('Retry-After')).toBeNull()
        if (answer.json.status.authenticated === true) expect(JSON.parse(text).spec.token).toBe(token)
        if (answer.status === 400) expect(answer.json).toMatchObject({ kind: 'Status', reason: 'BadRequest' })
      }),
      { numRuns: 3000 },
    )
    expect(webhook.log.filter((line) => line.event === 'error')).toEqual([])
  })

  it('as a token is refused, and looked up only in the shape of one', async () => {
    const { webhook } = await prepare()
    await fc.assert(
      fc.asyncProperty(garbageToken, async (token) => {
        const answer = await webhook.review(token)
        expect([answer.status, answer.json.status]).toEqual([200, { authenticated: false }])
      }),
      { numRuns: 3000 },
    )
    for (const request of webhook.keystoneRequests) {
      expect(request.headers.get('X-Auth-Token')).toMatch(/^(gAAAAA|[A-Za-z0-9_-]+\.)/)
    }
  })

  it('as method, path and headers never reaches a review', async () => {
    const { webhook, token } = await prepare()
    const path = fc.oneof(
      fc.webPath(),
      fc.constantFrom(
        '/webhook',
        '/webhook/',
        '/clusters//webhook',
        '/clusters/%2e%2e/webhook',
        '//webhook',
        '/webhook/..',
      ),
    )
    const credential = fc.oneof(
      fc.string({ unit: 'binary-ascii' }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '')),
      fc.constantFrom(
        'Bearer',
        'Bearer ',
        `Bearer${CALLER_TOKEN}`,
        `Basic ${CALLER_TOKEN}`,
        `Bearer ${CALLER_TOKEN} x`,
        `Bearer ${CALLER_TOKEN.toUpperCase()}`,
      ),
    )
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD')
    await fc.assert(
      fc.asyncProperty(
        path,
        method,
        credential,
        fc.string({ maxLength: 20 }),
        async (where, how, authorization, type) => {
          const headers = new Headers({
            'Content-Type': type.replaceAll(/[^\x20-\x7e]/g, ''),
            Authorization: authorization,
          })
          const body = how === 'GET' || how === 'HEAD' ? {} : { body: JSON.stringify(reviewBody(token)) }
          const answer = await webhook.send(where, { method: how, headers, ...body })
          expect([401, 404, 405]).toContain(answer.status)
        },
      ),
      { numRuns: 2000 },
    )
    expect(webhook.keystoneRequests).toHaveLength(0)
  })
})
