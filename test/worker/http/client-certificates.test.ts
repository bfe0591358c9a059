import { describe, expect, it } from 'vitest'
import { CallerIdentifier } from '../../../src/http/caller-identifier.ts'
import { FINGERPRINT, OTHER_FINGERPRINT, PLACEHOLDER, presenting, VERIFIED } from '../../support/certificates.ts'
import { createStage, type Isolate } from '../../support/documents-stage.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { CALLER_TOKEN, OTHER_CALLER_TOKEN, putDocument, reviewBody, sha256 } from '../../support/webhook.ts'

const NEW_CALLER = 'caller-credential-of-a-new-cluster'
const EXPIRED = { ...VERIFIED, certVerified: 'FAILED:certificate has expired' }
const REVOKED = { ...VERIFIED, certVerified: 'FAILED:certificate revoked', certRevoked: '1' }
const UNLISTED = { ...VERIFIED, certFingerprintSHA256: OTHER_FINGERPRINT }

interface Sent {
  readonly bearer?: string
  readonly certificate?: unknown
  readonly path?: string
}

async function prepare(callers: unknown = { 'prod-3': { credentials: [`cert:${FINGERPRINT}`] } }) {
  const stage = await createStage()
  await putDocument('mapping', {})
  await putDocument('callers', callers)
  return stage.isolate()
}

function post(isolate: Isolate, { bearer, certificate, path = '/webhook' }: Sent) {
  return isolate.send(path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(bearer !== undefined && { Authorization: bearer }),
    },
    body: JSON.stringify(reviewBody(fernetShaped())),
    ...(certificate !== undefined && presenting(certificate)),
  })
}

/** The cluster of the review, or the status and the reason of the refusal. */
async function outcome(isolate: Isolate, sent: Sent) {
  const { status } = await post(isolate, sent)
  return status === 200 ? isolate.reviews().at(-1)?.cluster : status
}

describe('a client certificate', () => {
  it('that is listed, verified and not revoked names the cluster', async () => {
    const isolate = await prepare()
    for (const certificate of [VERIFIED, { ...VERIFIED, certFingerprintSHA256: FINGERPRINT.toUpperCase() }]) {
      expect(await outcome(isolate, { certificate })).toBe('prod-3')
      expect(await outcome(isolate, { certificate, path: '/clusters/prod-3/webhook' })).toBe('prod-3')
    }
    expect((await isolate.send('/readyz', presenting(VERIFIED))).status).toBe(200)
  })

  it('of another cluster than the path names is a 403', async () => {
    const isolate = await prepare()
    const { status, json } = await post(isolate, { certificate: VERIFIED, path: '/clusters/prod-1/webhook' })
    expect([status, json.reason, json.message]).toEqual([403, 'Forbidden', expect.stringContaining('another cluster')])
  })

  const refused: [string, unknown, string][] = [
    ['none', undefined, 'no caller credential'],
    ['the placeholder for none', PLACEHOLDER, 'no caller credential'],
    ['an expired one', EXPIRED, 'is expired, or of another CA'],
    ['a revoked one', REVOKED, 'revoked'],
    ['a revoked one that verified all the same', { ...VERIFIED, certRevoked: '1' }, 'revoked'],
    ['one without a fingerprint', { ...VERIFIED, certFingerprintSHA256: '' }, 'incomplete'],
    ['one whose fingerprint is too long', { ...VERIFIED, certFingerprintSHA256: `${FINGERPRINT}0` }, 'incomplete'],
    ['one of which nothing is said about revocation', { ...VERIFIED, certRevoked: undefined }, 'incomplete'],
    ['one that is not listed', UNLISTED, 'put "cert:'],
  ]
  it.each(refused)('%s is a 401 that says why', async (_what, certificate, hint) => {
    const isolate = await prepare()
    for (const path of ['/webhook', '/clusters/prod-3/webhook']) {
      const { status, json, text, headers } = await post(isolate, { certificate, path })
      expect([status, json.reason, json.message]).toEqual([401, 'Unauthorized', expect.stringContaining(hint)])
      expect(headers.get('WWW-Authenticate')).toMatch(/^Bearer /)
      for (const secret of [FINGERPRINT, OTHER_FINGERPRINT, 'kube-apiserver', 'Managed']) {
        expect(text.toLowerCase()).not.toContain(secret.toLowerCase())
      }
    }
    expect((await isolate.send('/readyz', presenting(certificate))).status).toBe(401)
  })

  it('is never a bearer token, and the other way round', async () => {
    const digest = await sha256(FINGERPRINT)
    const isolate = await prepare({ 'prod-3': { credentials: [`sha256:${FINGERPRINT}`, `cert:${digest}`] } })
    expect(await outcome(isolate, { certificate: VERIFIED })).toBe(401)
    for (const token of [FINGERPRINT, digest]) expect(await outcome(isolate, { bearer: `Bearer ${token}` })).toBe(401)
  })

  it('of the secret CALLERS counts, also with faulty settings', async () => {
    const stage = await createStage()
    const CALLERS = JSON.stringify({ 'prod-9': { credentials: [`cert:${FINGERPRINT}`] } })
    const isolate = await stage.isolate({ vars: { CALLERS, KEYSTONE_URL: '' } })
    expect(await outcome(isolate, { certificate: VERIFIED })).toBe('prod-9')
  })
})

describe('a bearer token and a certificate', () => {
  it('a known token decides; the certificate counts only without one', async () => {
    const isolate = await prepare()
    const known = `Bearer ${OTHER_CALLER_TOKEN}`
    for (let times = 0; times < 2; times += 1) {
      for (const certificate of [VERIFIED, REVOKED, UNLISTED, 'nonsense']) {
        expect(await outcome(isolate, { bearer: known, certificate })).toBe('prod-2')
      }
      const path = '/clusters/prod-3/webhook'
      expect(await outcome(isolate, { bearer: known, certificate: VERIFIED, path })).toBe(403)
      for (const bearer of ['Bearer stranger', 'Basic eDp5', 'Bearer', '']) {
        expect(await outcome(isolate, { bearer, certificate: VERIFIED })).toBe('prod-3')
        expect(await outcome(isolate, { bearer, certificate: VERIFIED, path })).toBe('prod-3')
        for (const certificate of [EXPIRED, REVOKED, UNLISTED, PLACEHOLDER]) {
          expect(await outcome(isolate, { bearer, certificate })).toBe(401)
        }
      }
    }
  })

  it('of a known token the certificate is not even looked at', async () => {
    const token = 'known'
    const callers = { clusters: new Map([[`sha256:${await sha256(token)}`, 'prod-1']]), own: new Map() }
    const identifier = new CallerIdentifier({ refresh: () => undefined, inForce: () => callers })
    const looked: string[] = []
    const ask = (bearer: string) => {
      const request = new Request('https://webhook.test', { headers: { Authorization: `Bearer ${bearer}` } })
      Object.defineProperty(request, 'cf', { get: () => void looked.push(bearer) })
      return identifier.peek(request) ?? identifier.identify(request)
    }
    expect(await ask(token)).toEqual({ ok: true, value: 'prod-1' })
    expect(ask(token)).toEqual({ ok: true, value: 'prod-1' })
    expect(looked).toEqual([])
    expect(await ask('unknown')).toMatchObject({ ok: false })
    expect(looked).toEqual(['unknown'])
  })
})

describe('credentials of a cluster rotate without a gap', () => {
  it('certificates', async () => {
    const isolate = await prepare()
    const next = { ...VERIFIED, certFingerprintSHA256: OTHER_FINGERPRINT }
    const seen = async () => [
      await outcome(isolate, { certificate: VERIFIED }),
      await outcome(isolate, { certificate: next }),
    ]
    expect(await seen()).toEqual(['prod-3', 401])
    await putDocument('callers', { 'prod-3': { credentials: [`cert:${FINGERPRINT}`, `cert:${OTHER_FINGERPRINT}`] } })
    await isolate.refresh()
    expect(await seen()).toEqual(['prod-3', 'prod-3'])
    await putDocument('callers', { 'prod-3': { credentials: [`cert:${OTHER_FINGERPRINT}`] } })
    await isolate.refresh()
    expect(await seen()).toEqual([401, 'prod-3'])
  })

  it('from a bearer token to a certificate, and back', async () => {
    const bearer = `Bearer ${NEW_CALLER}`
    const both = [`sha256:${await sha256(NEW_CALLER)}`, `cert:${FINGERPRINT}`]
    const isolate = await prepare({ 'prod-3': { credentials: both.slice(0, 1) } })
    const seen = async () => [await outcome(isolate, { bearer }), await outcome(isolate, { certificate: VERIFIED })]
    expect(await seen()).toEqual(['prod-3', 401])
    for (const [credentials, expected] of [
      [both, ['prod-3', 'prod-3']],
      [both.slice(1), [401, 'prod-3']],
      [both, ['prod-3', 'prod-3']],
      [both.slice(0, 1), ['prod-3', 401]],
    ] as const) {
      await putDocument('callers', { 'prod-3': { credentials } })
      await isolate.refresh()
      expect(await seen()).toEqual(expected)
    }
    expect(await outcome(isolate, { bearer: `Bearer ${CALLER_TOKEN}` })).toBe('prod-1')
  })
})
