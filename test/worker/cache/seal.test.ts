import fc from 'fast-check'
import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import { createFingerprinter } from '../../../src/cache/fingerprint.ts'
import { createSealer } from '../../../src/cache/seal.ts'
import { SEALED_BEFORE_JOSE } from './sealed-before-jose.ts'

const key = (fill: number) => new Uint8Array(32).fill(fill)
const URL_A = 'https://a.test/v3'
const context = (binding: string) => ({ purpose: 'identity' as const, binding })

describe('a sealed value', () => {
  it('opens under the same key, token and Keystone only', async () => {
    const sealer = createSealer([key(1), key(2)], URL_A)
    const sealed = await sealer.seal(context('token'), '{"a":1}')
    expect(await sealer.open(context('token'), 0, sealed)).toBe('{"a":1}')
    expect(await sealer.open(context('token2'), 0, sealed)).toBeUndefined()
    expect(await sealer.open(context('token'), 1, sealed)).toBeUndefined()
    expect(await createSealer([key(1)], 'https://b.test/v3').open(context('token'), 0, sealed)).toBeUndefined()
  })

  it('is sealed by the newest key and opened by older ones', async () => {
    const before = await createSealer([key(1)], URL_A).seal(context('t'), '{}')
    const rotated = createSealer([key(2), key(1)], URL_A)
    expect(await rotated.open(context('t'), 1, before)).toBe('{}')
    expect(await rotated.open(context('t'), 0, await rotated.seal(context('t'), '{}'))).toBe('{}')
  })

  it('does not show its content, nor roughly how long it is', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const short = await sealer.seal(context('t'), '{"user":"alice"}')
    const longer = await sealer.seal(context('t'), `{"user":"${'a'.repeat(700)}"}`)
    expect(atob(short.split('.')[0] ?? '')).toBe('{"alg":"dir","enc":"A256GCM"}')
    expect(short.length).toBe(longer.length)
    expect(await sealer.seal(context('t'), '{"user":"alice"}')).not.toBe(short)
  })

  it('changed anywhere, or made up, opens to nothing', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const sealed = await sealer.seal(context('t'), '{"user":"alice"}')
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sealed.length - 1),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        async (at, character) => {
          const changed = sealed.slice(0, at) + character + sealed.slice(at + 1)
          const opened = await sealer.open(context('t'), 0, changed)
          // The last character of a base64url segment may carry bits that say nothing.
          expect(changed === sealed || opened === undefined || opened === '{"user":"alice"}').toBe(true)
        },
      ),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        async (text) => (await sealer.open(context('t'), 0, text)) === undefined,
      ),
    )
  })

  it('opens when it has five parts, of which the second is empty, and not otherwise', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const [header, , iv = '', ciphertext = '', tag = ''] = (await sealer.seal(context('t'), '{}')).split('.')
    const form = (...parts: (string | undefined)[]) => sealer.open(context('t'), 0, parts.join('.'))
    expect(await form(header, '', iv, ciphertext, tag)).toBe('{}')
    expect(await form(header, '', iv, ciphertext, tag.slice(0, 16))).toBeUndefined()
    expect(await form(header, '', iv, ciphertext, tag, '')).toBeUndefined()
    expect(await form(header, 'AA', iv, ciphertext, tag)).toBeUndefined()
    expect(await form(header, '', '', ciphertext, tag)).toBeUndefined()
    expect(await form(header, '', iv, '', tag)).toBeUndefined()
    expect(await form(header, '', iv, ciphertext)).toBeUndefined()
  })

  it('opens when it was sealed by the release before jose, so that a value in KV stays readable', async () => {
    expect(await createSealer([key(1)], URL_A).open(context('token'), 0, SEALED_BEFORE_JOSE)).toBe('{"user":"alice"}')
  })

  it('cannot be replaced by a JWE of another algorithm', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const sealed = await sealer.seal(context('t'), '{}')
    for (const header of [
      { alg: 'dir', enc: 'A128CBC-HS256' },
      { alg: 'none' },
      { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 1e9, p2s: 'x' },
    ]) {
      const forged = [btoa(JSON.stringify(header)).replace(/=+$/, ''), ...sealed.split('.').slice(1)].join('.')
      expect(await sealer.open(context('t'), 0, forged)).toBeUndefined()
    }
  })
})

describe('sealing, written once more with WebCrypto', () => {
  const encoder = new TextEncoder()
  const HEADER = base64url.encode(JSON.stringify({ alg: 'dir', enc: 'A256GCM' }))

  /** The derivation of docs/architecture.md. */
  async function derive(cacheKey: Uint8Array, token: string, url: string): Promise<CryptoKey> {
    const material = new Uint8Array([...cacheKey, ...encoder.encode(token)])
    const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey'])
    const info = encoder.encode(`keystone-edge-auth/1/seal/identity\n${url}`)
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info }
    return crypto.subtle.deriveKey(hkdf, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  }
  const gcm = (iv: Uint8Array<ArrayBuffer>, header: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: encoder.encode(header),
    tagLength: 128,
  })

  async function sealByHand(derived: CryptoKey, header: string, text: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(iv, header), derived, encoder.encode(text)))
    const parts = [iv, sealed.subarray(0, -16), sealed.subarray(-16)].map((part) => base64url.encode(part))
    return `${header}..${parts.join('.')}`
  }

  it('opens what the Worker sealed, and the Worker opens what it sealed', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const derived = await derive(key(1), 'token', URL_A)
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const sealed = await sealer.seal(context('token'), json)
        const [header = '', , iv = '', ciphertext = '', tag = ''] = sealed.split('.')
        expect(header).toBe(HEADER)
        const bytes = new Uint8Array([...base64url.decode(ciphertext), ...base64url.decode(tag)])
        const algorithm = gcm(new Uint8Array(base64url.decode(iv)), header)
        const opened = new Uint8Array(await crypto.subtle.decrypt(algorithm, derived, bytes))
        expect(opened.length % 1024).toBe(0)
        expect(new TextDecoder().decode(opened).trimEnd()).toBe(json)
        expect(await sealer.open(context('token'), 0, await sealByHand(derived, HEADER, json))).toBe(json)
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    [{ alg: 'dir', enc: 'A128GCM' }],
    [{ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }],
    [{ alg: 'dir', enc: 'A256GCM', crit: ['made-up'], 'made-up': true }],
    [{ alg: 'A256KW', enc: 'A256GCM' }],
    [{ alg: 'dir' }],
  ])('under the header %j opens to nothing, even with the key', async (fields) => {
    const derived = await derive(key(1), 'token', URL_A)
    const sealed = await sealByHand(derived, base64url.encode(JSON.stringify(fields)), '{}')
    expect(await createSealer([key(1)], URL_A).open(context('token'), 0, sealed)).toBeUndefined()
  })
})

describe('a fingerprint', () => {
  it('differs by purpose, token, key and Keystone, and does not contain the token', async () => {
    const [newest, older] = await createFingerprinter([key(1), key(2)], URL_A)('identity', 't1')
    const others = [
      older,
      ...(await createFingerprinter([key(1)], URL_A)('identity', 't2')),
      ...(await createFingerprinter([key(1)], URL_A)('document', 't1')),
      ...(await createFingerprinter([key(1)], 'https://b.test/v3')('identity', 't1')),
    ]
    expect(newest).toMatch(/^[0-9a-f]{64}$/)
    expect(others).not.toContain(newest)
    expect(await createFingerprinter([key(1)], URL_A)('identity', 't1')).toEqual([newest])
  })
})
