import fc from 'fast-check'
import { CompactSign } from 'jose'
import { describe, expect, it } from 'vitest'
import { createDemoKeystone } from '../../support/demo-keystone.ts'
import { createJwsKey } from '../../support/jws.ts'
import { ALICE_ID } from '../../support/keystone-answers.ts'
import { base64url, fernetShaped, jwsShaped } from '../../support/tokens.ts'
import { CALLER_TOKEN, KEYSTONE_URL, putDocument } from '../../support/webhook.ts'
import { ACCEPTED, isolateWith, outcome, refused, useJwsStage } from './jws-stage.ts'

const key = await createJwsKey()
const second = await createJwsKey()
const EXP = Math.floor(Date.UTC(2026, 10, 22, 14, 0, 0) / 1000)
const stage = useJwsStage()

describe('a JWS token, with its key in keystone-keys', () => {
  it('that Keystone signed is looked up', async () => {
    expect(await outcome(await isolateWith(key.pem), await key.sign())).toMatchObject(ACCEPTED)
  })

  it('is not verified again while it is remembered', async () => {
    const isolate = await isolateWith(key.pem)
    const token = await key.sign()
    await isolate.review(token)
    await putDocument('keystone-keys', second.pem)
    await isolate.refresh()
    expect((await isolate.review(token)).json.status.authenticated).toBe(true)
    expect(isolate.reviews().at(-1)?.source).toBe('memory')
  })

  it('that another key signed costs neither a request nor a read, however often it comes', async () => {
    const isolate = await isolateWith(key.pem)
    const token = await second.sign()
    for (let times = 0; times < 3; times += 1) {
      expect(await outcome(isolate, token)).toEqual(refused('bad_signature'))
    }
    expect(await outcome(isolate, jwsShaped())).toEqual(refused('bad_signature'))
    expect(isolate.reviews().at(-1)).not.toHaveProperty('source')
  })

  it('has an end, to the millisecond by the clock of the webhook', async () => {
    const isolate = await isolateWith(key.pem)
    stage().clock.advance(EXP * 1000 - stage().clock.now() - 1)
    expect(await outcome(isolate, await key.sign({ exp: EXP }))).toMatchObject({ requests: 2 })
    stage().clock.advance(1)
    expect(await outcome(isolate, await key.sign({ exp: EXP, iat: 1 }))).toEqual(refused('expired'))
    expect(await outcome(isolate, await second.sign({ exp: EXP }))).toEqual(refused('bad_signature'))
  })

  it('with a header that asks for something else is refused', async () => {
    const isolate = await isolateWith(key.pem)
    const [, payload = '', signature = ''] = (await key.sign()).split('.')
    const header = (fields: object): string => base64url(new TextEncoder().encode(JSON.stringify(fields)))
    const hmacKey = new TextEncoder().encode(key.pem)
    const hmac = await new CompactSign(new TextEncoder().encode(atob(payload)))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(hmacKey)
    const critical = await new CompactSign(new TextEncoder().encode(JSON.stringify({ sub: ALICE_ID, exp: EXP })))
      .setProtectedHeader({ alg: 'ES256', crit: ['made-up'], 'made-up': true })
      .sign(key.privateKey, { crit: { 'made-up': true } })
    const cases: [string, string, string][] = [
      ['none', `${header({ alg: 'none' })}.${payload}.`, 'malformed'],
      ['none with a signature', `${header({ alg: 'none' })}.${payload}.${signature}`, 'malformed'],
      ['the public key as a secret', hmac, 'malformed'],
      [
        'the same, called ES256',
        `${header({ alg: 'ES256' })}.${payload}.${hmac.split('.')[2]?.padEnd(86, 'A')}`,
        'bad_signature',
      ],
      ['ES384', await (await createJwsKey('ES384')).sign(), 'bad_signature'],
      ['a header that was not signed', `${header({ alg: 'ES256' })}.${payload}.${signature}`, 'bad_signature'],
      ['an unknown extension', critical, 'bad_signature'],
      ['an extension that jose knows', await key.sign({}, { crit: ['b64'], b64: true }), 'bad_signature'],
      ['no signature but zeros', `${header({ alg: 'ES256' })}.${payload}.${'A'.repeat(86)}`, 'bad_signature'],
    ]
    for (const [name, token, reason] of cases) {
      expect([name, await outcome(isolate, token)]).toEqual([name, refused(reason)])
    }
  })

  it('with any one character changed is refused', async () => {
    const isolate = await isolateWith(key.pem)
    const token = await key.sign()
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.integer({ min: 0x21, max: 0x7e }), async (index, code) => {
        const changed = token.slice(0, index) + String.fromCharCode(code) + token.slice(index + 1)
        fc.pre(changed !== token)
        const { status, requests, reads } = await outcome(isolate, changed)
        expect([status, requests, reads]).toEqual([{ authenticated: false }, 0, 0])
      }),
      { numRuns: 300 },
    )
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const changed = token.slice(0, -1) + last
      if (changed !== token) expect(await outcome(isolate, changed)).toMatchObject({ requests: 0, reads: 0 })
    }
    expect(await outcome(isolate, token)).toMatchObject(ACCEPTED)
  })

  it('may be of any user: the signature lets nobody in by itself', async () => {
    const isolate = await stage().isolate({ keystone: async () => new Response(null, { status: 500 }) })
    await putDocument('keystone-keys', key.pem)
    expect(await outcome(isolate, await key.sign())).toMatchObject({ reason: 'keystone_status' })
  })
})

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA'] as const
const _keys = await Promise.all(ALGORITHMS.map((alg) => createJwsKey(alg)))

describe('a rotation of keys', () => {
  it('takes tokens of both, then of the new one alone', async () => {
    const isolate = await isolateWith(key.pem + second.pem)
    expect(await outcome(isolate, await key.sign())).toMatchObject(ACCEPTED)
    expect(await outcome(isolate, await second.sign())).toMatchObject(ACCEPTED)
    await putDocument('keystone-keys', second.pem)
    await isolate.refresh()
    // Documents are refreshed when they are asked for: by the first token that needs the keys.
    await isolate.review(await second.sign({ n: 0 }))
    await isolate.background()
    expect(await outcome(isolate, await key.sign({ n: 1 }))).toEqual(refused('bad_signature'))
    expect(await outcome(isolate, await second.sign({ n: 1 }))).toMatchObject(ACCEPTED)
  })
})

describe('a JWS token in memory', () => {
  it('is refused from its next refresh on when its key is out, and Keystone is not asked about it any more', async () => {
    const isolate = await isolateWith(key.pem + second.pem)
    const [token, other] = [await key.sign(), await second.sign()]
    for (const one of [token, other]) expect(await outcome(isolate, one)).toMatchObject(ACCEPTED)
    await isolate.background()
    await putDocument('keystone-keys', second.pem)
    stage().clock.advance(80_000)
    const asked = isolate.keystoneRequests.length
    for (const one of [token, other]) expect((await isolate.review(one)).json.status.authenticated).toBe(true)
    await isolate.background()
    expect(await outcome(isolate, token)).toEqual(refused('bad_signature'))
    expect(await outcome(isolate, other)).toMatchObject({ reason: 'authenticated', requests: 0 })
    const tokens = isolate.keystoneRequests.slice(asked).map(({ headers }) => headers.get('X-Auth-Token'))
    expect(tokens).toEqual([other, other])
  })
})

describe('without a key in force', () => {
  it.each([
    ['no document', undefined],
    ['{}', '{}'],
    ['one that never held', 'no PEM'],
  ])('(%s) JWS tokens are looked up', async (_name, document) => {
    const isolate = await isolateWith(document)
    expect(await outcome(isolate, jwsShaped())).toMatchObject(ACCEPTED)
  })

  it('for CONFIG and CACHE cannot be read, JWS tokens are looked up, in time', async () => {
    const isolate = await isolateWith(key.pem)
    await isolate.look()
    stage().config.fault = 'fails'
    stage().cache.reading = 'fails'
    expect(await outcome(isolate, await second.sign())).toMatchObject(ACCEPTED)
  })
})

describe('the document keystone-keys', () => {
  it('stays in force when an edit does not hold or deletes it, in new isolates too, and /readyz says why', async () => {
    const first = await isolateWith(key.pem)
    await first.review(await key.sign())
    await first.background()
    for (const [document, fault] of [
      [`${key.pem}-----BEGIN PRIVATE KEY-----\nsecretsecret\n-----END PRIVATE KEY-----`, '[2]'],
      [undefined, ''],
    ] as const) {
      await putDocument('keystone-keys', document)
      const isolate = await stage().isolate()
      expect(await outcome(isolate, await second.sign())).toEqual(refused('bad_signature'))
      const { status, json, text } = await isolate.ready(CALLER_TOKEN)
      expect([status, json.documents['keystone-keys']]).toMatchObject([
        503,
        { source: 'last-good', faults: [{ path: fault }] },
      ])
      expect(text + JSON.stringify(isolate.log)).not.toContain('secretsecret')
    }
  })

  it('is no want: /readyz is 200 without it', async () => {
    const { status, json } = await (await isolateWith()).ready(CALLER_TOKEN)
    expect([status, json.documents['keystone-keys']]).toMatchObject([200, { source: 'none', faults: [] }])
  })

  it('is not read for tokens of other formats', async () => {
    const isolate = await isolateWith(key.pem)
    for (const token of [fernetShaped(), 'a'.repeat(32)]) expect(await outcome(isolate, token)).toMatchObject(ACCEPTED)
    expect(stage().config.reads).not.toContain('keystone-keys')
  })
})

describe('an embedded Keystone with the jws provider', () => {
  it("lets its users in by its own key, and costs a stranger's token nothing", async () => {
    const { clock } = stage()
    const demo = await createDemoKeystone({ now: clock.now, url: KEYSTONE_URL, provider: 'jws' })
    await putDocument('keystone-keys', demo.jwsPublicKeyPem)
    const isolate = await stage().isolate({ keystone: demo.fetch })
    const token = await demo.tokenOf('alice')
    expect(await outcome(isolate, token)).toMatchObject(ACCEPTED)
    expect(await outcome(isolate, await key.sign())).toEqual(refused('bad_signature'))
  })
})
