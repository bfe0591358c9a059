import fc from 'fast-check'
import { base64url, CompactEncrypt } from 'jose'
import { describe, expect, it } from 'vitest'
import { createFingerprinter } from '../../../src/cache/fingerprint.ts'
import { createSealer } from '../../../src/cache/seal.ts'

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

  it('opens in one form only', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const [header, , iv = '', ciphertext = '', tag = ''] = (await sealer.seal(context('t'), '{}')).split('.')
    const bytes = new Uint8Array([...base64url.decode(ciphertext), ...base64url.decode(tag)])
    const [less, more] = [bytes.subarray(0, -19), bytes.subarray(-19)].map((part) => base64url.encode(part))
    const form = (...parts: (string | undefined)[]) => sealer.open(context('t'), 0, parts.join('.'))
    expect(await form(header, '', iv, ciphertext, tag)).toBe('{}')
    expect(await form(header, '', iv, less, more)).toBeUndefined()
    expect(await form(header, '', iv, ciphertext, tag, '')).toBeUndefined()
    expect(await form(header, 'AA', iv, ciphertext, tag)).toBeUndefined()
    expect(await form(header, '', '', ciphertext, tag)).toBeUndefined()
    expect(await form(header, '', iv, '', tag)).toBeUndefined()
    expect(await form(header, '', iv, ciphertext)).toBeUndefined()
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

/** Sealed by the release before this library sealed: cache key 1, the token `token`, URL_A, an IV of sevens. */
const SEALED_BEFORE = [
  'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..BwcHBwcHBwcHBwcH.hbL3kyc-JVJMisoUmSvaHmxywTn4XiF9qP7lX1d2f1fMyG4jJC3WB0',
  'Fda-Cs7OPRRlw5o6ZtAc928Px3E-C4MrjgYfWNvgUqeAkEPVNRLsX5jkqWEEjUqMQcjMoALJKpW_40ePp265kUj9ooG74ULNEwpv83JNKvRhjhs5',
  'Mhj1VpQfPxeRnqc9tiPQ8zGNfuyyo67q0y-XzW3kEIHCsKwN9Rvxc85kvRMuIBpWHGyeR556LBtPIt38BZZzf2ihdnXxUBFQUWC-sLQk04Ix8qlD',
  'fVphcFjVhkCG1gR8G4FqD8AAnYX9IvVDPTY0Pjn6RbO56I7g1-Q6ItbstnN8vJUm4dQUQJjKxdjhLN5Taf4mppizdaqsV3433MrfNXD2FmWEt5V-',
  'AkI-xQLTSeyGv3atKp9nMZqwJRhby4GP4PhqemPROUDZsc9Xszncyz_DiGW-KRTLQaoeqvwMpAGDFWW-4xLuF7Tov5g2h-APhHgsE-Mp-ZJqbo_m',
  'Rhu5VQK4UC9uJDJ8CzMrvthmKc_7CIVDU7dTUuI70R7nKAu7-eoPlUnWiQSk74aZFwA-A7tuQXjhizXmxIAZRNukLeUoyY2EsbpCMOvzLuLM-Qq4',
  'BVHV0ftfq952t2uESg0OYIQODJeSyTB8TT_Hj6k5jOMOvRG5co_HJQ1ejqHod4wJPk-Cn8B34YSbnr2LWon8QUxn8HZTJ9L_y_oev09zH7ALNq3U',
  'b_27Z2Ffaru159kYmfWBWDP9dgrgFVShM3S1QTBftnJ3syWyh-MBSfRKkB5sg3bccLcoDjdtC22uLJ9rLlaMH4Rimqb5xc45J9H5ksN3woIRrc3E',
  'oJIo0_NUWxSWbd_TzosCDm_gREY0ww-foum23wx_q6l5Yszz0LLUb6e8Dnw80-d1cDtbt9S2xuOaRECRWlx20amn5-At1dCPbOkZaxFY6wEtO4aU',
  '_WcY4DnDtKZynC9TwSHh0zicr8msMR4q8i1RjAYBciLJSspK8n8Tg3D_26XFqlZoPy-9bcqMq4THb23IebrG5D_JNBwFC7tpkJownC2YE5rvZXmk',
  'Zro-6yqdnChu6JNEQ-MgeaOonbn9bLIj7SDo-UmaRgfVioL7mAoS93SFqDdRzCMvJTjvKDlWRWcZbmLklX4z_4IMH31iGKaiYQM1Nw1ou-1rHWHm',
  'fODDdN4N1lFZGGO1QQlFP3RfVXESjKDPKSntEhJqlGriLpmevmJjdFDpdiSf7NLbaxBsKxNvlhOH8MbkW3y2AXV-RaxCJS2fi7fHAphtaWrxpQDV',
  'VO3ekiFBzUvIA9_dOqYFATEs7FKnYPEY8Tp02zOHGJvVzwStNs3zrCYU8IorHTFNHWvhVs4pLyVHpMrg.c_nkAjPtbwWQwHbIs6OSfA',
].join('')

describe('a value in KV that an older release sealed', () => {
  it('opens', async () => {
    expect(await createSealer([key(1)], URL_A).open(context('token'), 0, SEALED_BEFORE)).toBe('{"user":"alice"}')
  })
})

// The derivation of docs/architecture.md, written once more.
async function derive(cacheKey: Uint8Array, token: string, url: string): Promise<CryptoKey> {
  const encoder = new TextEncoder()
  const material = new Uint8Array([...cacheKey, ...encoder.encode(token)])
  const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey'])
  const info = encoder.encode(`keystone-edge-auth/1/seal/identity\n${url}`)
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info }
  return crypto.subtle.deriveKey(parameters, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** `{"alg":"dir","enc":"A256GCM"}`, which the tag covers in its encoded form (RFC 7516, 5.1). */
const HEADER = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0'

describe('WebCrypto without a library', () => {
  const algorithm = (iv: Uint8Array<ArrayBuffer>) => ({
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(HEADER),
  })

  it('opens a sealed value, and what it seals opens', async () => {
    const sealer = createSealer([key(1)], URL_A)
    const derived = await derive(key(1), 'token', URL_A)
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const [header, encryptedKey, ...rest] = (await sealer.seal(context('token'), json)).split('.')
        const [iv, ciphertext, tag] = rest.map((part) => new Uint8Array(base64url.decode(part)))
        if (!iv || !ciphertext || !tag) throw new Error('expected five parts')
        expect([header, encryptedKey, iv.length, tag.length, rest.length]).toEqual([HEADER, '', 12, 16, 3])
        const joined = new Uint8Array([...ciphertext, ...tag])
        const opened = new TextDecoder().decode(await crypto.subtle.decrypt(algorithm(iv), derived, joined))
        expect([opened.trimEnd(), ciphertext.length % 1024]).toEqual([json, 0])
        const plaintext = new TextEncoder().encode(json)
        const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm(iv), derived, plaintext))
        const parts = [iv, sealed.subarray(0, -16), sealed.subarray(-16)].map((part) => base64url.encode(part))
        expect(await sealer.open(context('token'), 0, `${HEADER}..${parts.join('.')}`)).toBe(json)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a JWE under the right key', () => {
  const seal = async (header: { alg: string; enc: string; [name: string]: unknown }): Promise<string> => {
    const raw = crypto.getRandomValues(new Uint8Array(16))
    const wrapping = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt'])
    const derived = header.alg === 'dir' && header.enc === 'A256GCM' ? await derive(key(1), 'token', URL_A) : wrapping
    const crit = Object.fromEntries(((header.crit as string[] | undefined) ?? []).map((name) => [name, true]))
    return new CompactEncrypt(new TextEncoder().encode('{}')).setProtectedHeader(header).encrypt(derived, { crit })
  }

  it('opens with the exact header', async () => {
    const sealed = await seal({ alg: 'dir', enc: 'A256GCM' })
    expect(await createSealer([key(1)], URL_A).open(context('token'), 0, sealed)).toBe('{}')
  })

  it.each([
    ['kid', { alg: 'dir', enc: 'A256GCM', kid: '1' }],
    ['another order', { enc: 'A256GCM', alg: 'dir' }],
    ['zip', { alg: 'dir', enc: 'A256GCM', zip: 'DEF' }],
    ['crit', { alg: 'dir', enc: 'A256GCM', crit: ['made-up'], 'made-up': true }],
    ['another enc', { alg: 'dir', enc: 'A128GCM' }],
    ['another alg', { alg: 'A128GCMKW', enc: 'A256GCM' }],
  ])('does not open with another header (%s)', async (_name, header) => {
    const sealed = await seal(header)
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
