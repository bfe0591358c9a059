import { base64url as jose } from 'jose'
import { describe, expect, it } from 'vitest'
import { parsePublicKeys } from '../../../src/keystone/public-keys.ts'
import { checkSignature } from '../../../src/keystone/signature.ts'
import { concealToken } from '../../../src/lib/secret.ts'
import { createJwsKey } from '../../support/jws.ts'
import { base64url } from '../../support/tokens.ts'
import { ACCEPTED, isolateWith, outcome, refused, useJwsStage } from './jws-stage.ts'

const key = await createJwsKey()
const second = await createJwsKey()
const EXP = Math.floor(Date.UTC(2026, 10, 22, 14, 0, 0) / 1000)
const stage = useJwsStage()

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA'] as const
const keys = await Promise.all(ALGORITHMS.map((alg) => createJwsKey(alg)))

describe('keys of four algorithms', () => {
  const withHeader = (token: string, alg: string): string =>
    [base64url(new TextEncoder().encode(JSON.stringify({ alg, typ: 'JWT' }))), ...token.split('.').slice(1)].join('.')

  it('accept the tokens of each key at once', async () => {
    const isolate = await isolateWith(keys.map(({ pem }) => pem).join(''))
    for (const { sign } of keys) expect(await outcome(isolate, await sign())).toMatchObject(ACCEPTED)
    for (const alg of ALGORITHMS) {
      const stranger = await createJwsKey(alg)
      expect([alg, await outcome(isolate, await stranger.sign())]).toEqual([alg, refused('bad_signature')])
    }
  })

  it.each(ALGORITHMS)('verify each only its own algorithm (a key for %s)', async (ofKey) => {
    const own = keys[ALGORITHMS.indexOf(ofKey)]
    if (own === undefined) throw new Error('no key')
    const isolate = await isolateWith(own.pem)
    for (const ofToken of ALGORITHMS) {
      const token = await keys[ALGORITHMS.indexOf(ofToken)]?.sign()
      const expected = ofToken === ofKey ? ACCEPTED : refused('bad_signature')
      expect([ofToken, await outcome(isolate, token ?? '')]).toMatchObject([ofToken, expected])
    }
    const signed = await own.sign({ n: 1 })
    for (const inHeader of [...ALGORITHMS, 'Ed25519', 'HS256', 'none']) {
      if (inHeader === ofKey) continue
      const { status, requests, reads } = await outcome(isolate, withHeader(signed, inHeader))
      expect([inHeader, status, requests, reads]).toEqual([inHeader, { authenticated: false }, 0, 0])
    }
  })

  it.each(ALGORITHMS)('say of a token signed with %s that it is expired, once it is signed', async (alg) => {
    const isolate = await isolateWith(keys.map(({ pem }) => pem).join(''))
    const nowS = Math.floor(stage().clock.now() / 1000)
    const own = keys[ALGORITHMS.indexOf(alg)]
    expect(await outcome(isolate, (await own?.sign({ exp: nowS })) ?? '')).toEqual(refused('expired'))
    expect(await outcome(isolate, await (await createJwsKey(alg)).sign({ exp: nowS }))).toEqual(
      refused('bad_signature'),
    )
  })
})

describe('checkSignature()', () => {
  const check = async (token: string, pem: string): Promise<unknown> => {
    const parsed = await parsePublicKeys(pem)
    const refusal = await checkSignature(concealToken(token), parsed.ok ? parsed.value : [], EXP * 1000)
    return refusal?.reason ?? 'signed'
  }

  it.each([
    ['in the future', EXP + 1, 'signed'],
    ['now', EXP, 'expired'],
    ['past', EXP - 1, 'expired'],
    ['missing', undefined, 'expired'],
    ['text', String(EXP + 1), 'expired'],
    ['null', null, 'expired'],
  ])('reads exp of a signed token when it is %s', async (_name, exp, expected) => {
    expect(await check(await key.sign({ exp }), key.pem)).toBe(expected)
    expect(await check(await second.sign({ exp }), key.pem)).toBe('bad_signature')
    expect(await check(await second.sign({ exp }), key.pem + second.pem)).toBe(expected)
  })

  it('returns bad_signature when the header has crit, also for an extension that jose knows', async () => {
    const header = { crit: ['b64'], b64: true }
    expect(await check(await key.sign({ exp: EXP + 1 }, header), key.pem)).toBe('bad_signature')
  })

  it('returns bad_signature when the token is no token, or there is no key', async () => {
    for (const text of ['', '.', '..', '...', 'é.é.é', '{}.{}.{}']) {
      expect([text, await check(text, key.pem)]).toEqual([text, 'bad_signature'])
    }
    expect(await check(await key.sign(), '{}')).toBe('bad_signature')
  })

  it('agrees with WebCrypto without a library', async () => {
    const token = await key.sign({ exp: EXP + 1 })
    const [header, payload, signature = ''] = token.split('.')
    const der = Uint8Array.from(atob(key.pem.replace(/-----[^-]+-----|\s/g, '')), (byte) => byte.charCodeAt(0))
    const imported = await crypto.subtle.importKey('spki', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'verify',
    ])
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const signed = new TextEncoder().encode(`${header}.${payload}`)
    const bytes = new Uint8Array(jose.decode(signature))
    for (const flipped of [0, 1]) {
      const changed = bytes.with(5, (bytes[5] ?? 0) ^ flipped)
      const isSigned = await crypto.subtle.verify(algorithm, imported, changed, signed)
      const found = await check(`${header}.${payload}.${jose.encode(changed)}`, key.pem)
      expect([isSigned, found]).toEqual(flipped ? [false, 'bad_signature'] : [true, 'signed'])
    }
  })
})
