import { createExecutionContext } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { createAnswerReview, type Reviewer } from '../../src/http/answer-review.ts'
import { CallerIdentifier } from '../../src/http/caller-identifier.ts'
import { fernetShaped } from '../support/tokens.ts'
import { CALLER_TOKEN, createWebhook, reviewBody, sha256 } from '../support/webhook.ts'

const SECRET = 'gAAAAA-what-nobody-may-read'

function fail(): never {
  throw new TypeError(`cannot read ${SECRET}`)
}

const UNEXPECTED = 'unexpected error; see the log of the webhook'

function post(kind: 'TokenReview' | 'SubjectAccessReview', headers: Record<string, string> = {}): Request {
  const group = kind === 'TokenReview' ? 'authentication' : 'authorization'
  const spec = kind === 'TokenReview' ? { token: SECRET } : { user: 'alice', nonResourceAttributes: { path: '/' } }
  return new Request('https://webhook.test/webhook', {
    method: 'POST',
    headers: { Authorization: `Bearer ${CALLER_TOKEN}`, ...headers },
    body: JSON.stringify({ apiVersion: `${group}.k8s.io/v1`, kind, spec }),
  })
}

/** Answers reviews with a reviewer in which nothing fails but what the test makes fail. */
async function createFaultyReview(faulty: Partial<Reviewer>) {
  const callers = { clusters: new Map([[`sha256:${await sha256(CALLER_TOKEN)}`, 'demo']]), own: new Map() }
  const onUnexpected = vi.fn<(error: unknown) => void>()
  const audit = vi.fn()
  const answerReview = createAnswerReview({
    callers: new CallerIdentifier({ refresh: () => undefined, inForce: () => callers }),
    reviewer: {
      refresh: () => undefined,
      peek: () => undefined,
      load: fail,
      ...faulty,
    },
    reviewMs: 1_000,
    clock: { now: () => 0 },
    audit,
    auditCaller: () => undefined,
    metrics: undefined,
    onUnexpected,
  })
  return {
    answer: (request: Request) => answerReview(request, undefined, createExecutionContext()),
    onUnexpected,
    audit,
  }
}

describe('answerReview()', () => {
  const faults = [
    ['the refresh of documents throws', { refresh: fail }],
    ['peek() throws', { peek: fail }],
    ['load() throws', { load: fail }],
    ['load() rejects', { load: async () => fail() }],
  ] as const

  it.each(faults)('answers a TokenReview with "cannot tell" and reports when %s', async (_name, faulty) => {
    const { answer, onUnexpected, audit } = await createFaultyReview(faulty)
    const response = await answer(post('TokenReview'))
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        status: { authenticated: false, error: `keystone-edge-auth: ${UNEXPECTED}` },
      },
    ])
    expect(audit.mock.calls[0]?.[1]).toMatchObject({ decision: 'unknown', reason: 'unexpected' })
    expect(onUnexpected).toHaveBeenCalledOnce()
  })

  it.each(faults)('answers a SubjectAccessReview with 503 and reports when %s', async (_name, faulty) => {
    const { answer, onUnexpected } = await createFaultyReview(faulty)
    const response = await answer(post('SubjectAccessReview'))
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { kind: 'Status', reason: 'ServiceUnavailable' },
    ])
    expect(onUnexpected).toHaveBeenCalledOnce()
  })
})

describe('the app', () => {
  it.each([
    ['a review', post('TokenReview')],
    ['a review of access', post('SubjectAccessReview')],
    ['/readyz', new Request('https://webhook.test/readyz')],
  ])('answers %s with 503 and reports when the code fails outside of the review', async (_name, request) => {
    const lines: string[] = []
    const startTimer = () => () => undefined
    const app = createApp({ clock: { now: () => 0, startTimer }, fetch: fail, log: (line) => lines.push(line) })
    const env = Object.defineProperty({}, 'KEYSTONE_URL', { get: fail, enumerable: true })
    const response = await app.request(request, undefined, env, createExecutionContext())
    const body = await response.text()
    expect([response.status, JSON.parse(body).message]).toEqual([503, UNEXPECTED])
    expect(body).not.toContain(SECRET)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'error', code: 'unexpected', error: 'TypeError' },
    ])
    expect(lines.join()).not.toContain(SECRET)
  })

  it.each(['/webhook/', '/webhook//', '/%77ebhook', '/webhook?timeout=30s', '/clusters/prod%2D1/webhook'])(
    'decides by the credential at %s, as at the plain path',
    async (path) => {
      const keystone = () => Promise.reject(new Error('Keystone must not be asked'))
      const webhook = await createWebhook({ keystone })
      const body = JSON.stringify(reviewBody('garbage'))
      const send = (headers: Record<string, string>) => webhook.send(path, { method: 'POST', headers, body })
      const known = await send({ Authorization: `Bearer ${CALLER_TOKEN}` })
      // Either the path is not known at all, or it answers as the plain one does.
      if (known.status !== 404) expect([known.status, known.json.status]).toEqual([200, { authenticated: false }])
      for (const headers of [{}, { Authorization: 'Bearer another-credential' }]) {
        expect((await send(headers)).status).toBe(known.status === 404 ? 404 : 401)
      }
    },
  )

  it('refuses a credential of another cluster at a path that Hono decodes', async () => {
    const webhook = await createWebhook({ keystone: () => Promise.reject(new Error('x')) })
    const headers = { Authorization: `Bearer ${CALLER_TOKEN}` }
    const body = JSON.stringify(reviewBody(fernetShaped()))
    const answer = await webhook.send('/clusters/prod%2D2/webhook', { method: 'POST', headers, body })
    expect(answer.status).toBe(403)
  })
})
