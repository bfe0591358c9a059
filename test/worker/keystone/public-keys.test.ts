import { exportPKCS8, exportSPKI, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { parsePublicKeys } from '../../../src/keystone/public-keys.ts'

const pair = (alg: string) => generateKeyPair(alg, { extractable: true })
const publicPem = async (alg: string): Promise<string> => exportSPKI((await pair(alg)).publicKey)
const block = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
const bodyOf = (pem: string): string => pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, '')

const faults = async (text: string): Promise<string[]> => {
  const parsed = await parsePublicKeys(text)
  return parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path}: ${message}`)
}
const PEM = await publicPem('ES256')
const OTHER = await publicPem('ES256')
const BROKEN = /^\[1\]: is broken/
const EXPECTED = /^: expected only -----BEGIN PUBLIC KEY-----/
const NO_KIND = /^\[1\]: is no P-256, P-384, P-521 or Ed25519 key$/

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA'] as const
/** The bytes before the point of a key. */
const START_BYTES = { ES256: 27, ES384: 24, ES512: 26, EdDSA: 12 }
const bytesOf = (pem: string): Uint8Array => Uint8Array.from(atob(bodyOf(pem)), (byte) => byte.charCodeAt(0))
const pemOf = (bytes: Uint8Array): string => block('PUBLIC KEY', btoa(String.fromCharCode(...bytes)))

describe('the document keystone-keys', () => {
  it('holds one key or several', async () => {
    for (const [text, count] of [
      [PEM, 1],
      [PEM + OTHER, 2],
      [`\uFEFF# of 2026\n${PEM}\n\t # and of 2027\r\n${OTHER.replaceAll('\n', '\r\n')}\r\n`, 2],
      [block('PUBLIC KEY', bodyOf(PEM)), 1],
    ] as const) {
      const key = { alg: 'ES256', key: { usages: ['verify'] } }
      expect(await parsePublicKeys(text)).toMatchObject({ ok: true, value: Array(count).fill(key) })
    }
  })

  it('holds keys of four algorithms at once, each for its own algorithm', async () => {
    const pems = await Promise.all(ALGORITHMS.map(publicPem))
    const algorithms = [
      { name: 'ECDSA', namedCurve: 'P-256' },
      { name: 'ECDSA', namedCurve: 'P-384' },
      { name: 'ECDSA', namedCurve: 'P-521' },
      { name: 'Ed25519' },
    ]
    const value = ALGORITHMS.map((alg, index) => ({ alg, key: { algorithm: algorithms[index], usages: ['verify'] } }))
    expect(await parsePublicKeys(pems.join(''))).toMatchObject({ ok: true, value })
  })

  it.each([
    ['ES256', 23],
    ['ES384', 19],
    ['ES512', 15],
    ['EdDSA', 36],
  ])('holds as many keys for %s as fit in 4 KiB', async (alg, count) => {
    const pem = (await publicPem(alg)).trim()
    expect(await parsePublicKeys(`${pem}\n`.repeat(count))).toMatchObject({ ok: true, value: { length: count } })
    expect(await faults(`${pem}\n`.repeat(count + 1))).toEqual([': is larger than 4 KiB'])
  })

  it('is emptied by {}', async () => {
    expect(await parsePublicKeys(' {}\n')).toEqual({ ok: true, value: [] })
  })

  it('is nothing else', async () => {
    const privateKey = await exportPKCS8((await pair('ES256')).privateKey)
    const short = bodyOf(PEM).slice(0, -4)
    const cases: [string, string, RegExp][] = [
      ['nothing', '', EXPECTED],
      ['white space', ' \n', EXPECTED],
      ['a list', '[]', EXPECTED],
      ['JSON', JSON.stringify({ kty: 'EC', crv: 'P-256' }), EXPECTED],
      ['only comments', '# to do', EXPECTED],
      ['an SSH key', 'ecdsa-sha2-nistp256 AAAAE2VjZHNh someone', EXPECTED],
      ['text behind a key', `${PEM}and more`, EXPECTED],
      ['a key without its first line', PEM.slice(10), EXPECTED],
      ['a key without its last line', PEM.slice(0, -20), EXPECTED],
      ['a private key', privateKey, /^\[1\]: is a private key/],
      ['a private key of another kind', block('EC PRIVATE KEY', 'AAAA'), /^\[1\]: is a private key/],
      ['a certificate', block('CERTIFICATE', bodyOf(PEM)), /^\[1\]: is a certificate/],
      ['an RSA key', await publicPem('RS256'), NO_KIND],
      ['an X25519 key', pemOf(bytesOf(await publicPem('EdDSA')).with(8, 0x6e)), NO_KIND],
      ['a key of another curve (secp256k1)', pemOf(bytesOf(PEM).with(22, 0x0a)), NO_KIND],
      ['a compressed point', pemOf(bytesOf(PEM).with(26, 2)), NO_KIND],
      ['RSA in its old form', block('RSA PUBLIC KEY', 'AAAA'), /^\[1\]: is no -----BEGIN PUBLIC KEY/],
      [
        'base64 with a character of no base64',
        block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 50)}!${bodyOf(PEM).slice(51)}`),
        BROKEN,
      ],
      ['base64 that is cut off', block('PUBLIC KEY', short), BROKEN],
      ['base64 that goes on', block('PUBLIC KEY', `${short}AAAAAAAA`), BROKEN],
      ['an empty block', block('PUBLIC KEY', ''), BROKEN],
      ['a point off the curve', block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 36)}${'A'.repeat(86)}==`), BROKEN],
      ['more than 4 KiB', PEM.repeat(30), /^: is larger than 4 KiB$/],
    ]
    for (const [name, text, expected] of cases) {
      const found = await faults(text)
      expect([name, found]).toEqual([name, [expect.stringMatching(expected)]])
      for (const part of bodyOf(text).match(/[A-Za-z0-9+/]{16,}/g) ?? []) expect(found.join()).not.toContain(part)
    }
  })

  it.each(['ES256', 'ES384', 'ES512'] as const)('is refused with a point off the curve of %s', async (alg) => {
    const bytes = bytesOf(await publicPem(alg))
    const start = START_BYTES[alg]
    expect(await faults(pemOf(bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1)))).toEqual([expect.stringMatching(BROKEN)])
    expect(await faults(pemOf(bytes.slice().fill(0, start)))).toEqual([expect.stringMatching(BROKEN)])
    expect(await faults(pemOf(bytes.slice().fill(0xff, start)))).toEqual([expect.stringMatching(BROKEN)])
  })

  it.each(ALGORITHMS)('is refused with a key of %s that is too short or too long', async (alg) => {
    const bytes = bytesOf(await publicPem(alg))
    expect(await faults(pemOf(bytes.slice(0, -1)))).toEqual([expect.stringMatching(BROKEN)])
    expect(await faults(pemOf(new Uint8Array([...bytes, 0])))).toEqual([expect.stringMatching(BROKEN)])
  })

  it('is refused with one changed character in the point of a curve', async () => {
    const body = bodyOf(PEM)
    for (let index = 36; index < 122; index += 1) {
      const other = body[index] === 'A' ? 'Q' : 'A'
      expect(await faults(block('PUBLIC KEY', body.slice(0, index) + other + body.slice(index + 1)))).toHaveLength(1)
    }
  })

  it('is refused with a second spelling of a key', async () => {
    const body = bodyOf(await publicPem('EdDSA'))
    const last = String.fromCharCode(body.charCodeAt(body.length - 2) + 1)
    expect(await faults(block('PUBLIC KEY', `${body.slice(0, -2)}${last}=`))).toEqual([expect.stringMatching(BROKEN)])
  })

  it('names each faulty key by its number, and takes no other key', async () => {
    expect(await faults(PEM + (await publicPem('RS256')) + OTHER + block('CERTIFICATE', 'AAAA'))).toEqual([
      expect.stringMatching(/^\[2\]: is no P-256, /),
      expect.stringMatching(/^\[4\]: is a certificate/),
    ])
  })
})
