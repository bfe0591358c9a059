import { describe, expect, it, vi } from 'vitest'
import { type AppDeps, createApp } from '../../src/app.ts'
import { ok } from '../../src/lib/result.ts'
import { describeUnexpected } from '../../src/telemetry/events.ts'

const SECRET = 'gAAAAA-what-nobody-may-read'

function fail(): never {
  throw new TypeError(`cannot read ${SECRET}`)
}

const failLater = async (): Promise<never> => fail()

/** An app in which nothing fails but what is told to. */
function createFaultyApp(faulty: Partial<AppDeps>) {
  const onUnexpected = vi.fn<(error: unknown) => void>()
  const audit = vi.fn()
  const app = createApp({
    identifyCaller: () => ok('demo'),
    hasCallers: async () => true,
    review: fail,
    readiness: { settings: [], keystoneReachable: failLater, breaker: () => 'closed', documents: async () => ({}) },
    now: () => 0,
    version: 'test',
    audit,
    auditCaller: () => undefined,
    metrics: undefined,
    onUnexpected,
    ...faulty,
  })
  return { app, onUnexpected, audit }
}

function post(kind: 'TokenReview' | 'SubjectAccessReview'): Request {
  const group = kind === 'TokenReview' ? 'authentication' : 'authorization'
  const spec = kind === 'TokenReview' ? { token: SECRET } : { user: 'alice', nonResourceAttributes: { path: '/' } }
  return new Request('https://webhook.test/webhook', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ apiVersion: `${group}.k8s.io/v1`, kind, spec }),
  })
}

describe('what nobody foresaw', () => {
  const asked = [
    ['in a review', { review: fail }],
    ['in a review that waited', { review: failLater }],
  ] as const

  it.each(asked)('%s of a token is "cannot tell", reported, and says nothing of itself', async (_name, faulty) => {
    const { app, onUnexpected, audit } = createFaultyApp(faulty)
    const answer = await app(post('TokenReview'), () => undefined)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        status: { authenticated: false, error: 'keystone-edge-auth: unexpected error; see the log of the webhook' },
      },
    ])
    expect(audit.mock.calls[0]?.[1]).toMatchObject({ decision: 'unknown', reason: 'unexpected' })
    expect(onUnexpected).toHaveBeenCalledOnce()
  })

  it.each(asked)('%s of access is 503, reported, and says nothing of itself', async (_name, faulty) => {
    const { app, onUnexpected } = createFaultyApp(faulty)
    const answer = await app(post('SubjectAccessReview'), () => undefined)
    expect([answer.status, await answer.json()]).toMatchObject([503, { kind: 'Status', reason: 'ServiceUnavailable' }])
    expect(onUnexpected).toHaveBeenCalledOnce()
  })

  it.each([
    ['before a review', { identifyCaller: fail }, post('TokenReview')],
    ['before a review that waited', { identifyCaller: failLater }, post('TokenReview')],
    ['after a review', { audit: fail }, post('TokenReview')],
    ['in /readyz', { hasCallers: fail }, new Request('https://webhook.test/readyz')],
    ['in /readyz that waited', {}, new Request('https://webhook.test/readyz')],
  ] as const)('%s is 503, reported, and never a rejection', async (_name, faulty, request) => {
    const { app, onUnexpected } = createFaultyApp(faulty)
    const answer = await app(request.clone() as Request, () => undefined)
    const body = await answer.text()
    expect([answer.status, JSON.parse(body).message]).toEqual([503, 'unexpected error; see the log of the webhook'])
    expect(body).not.toContain(SECRET)
    const reported = describeUnexpected(onUnexpected.mock.calls.at(-1)?.[0])
    expect(reported).toMatchObject({ code: 'unexpected', error: 'TypeError' })
    expect(JSON.stringify(reported)).not.toContain(SECRET)
  })
})
