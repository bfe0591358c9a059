import { exportPKCS8, exportSPKI, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { parsePublicKeys } from '../../../src/keystone/public-keys.ts'

const pair = (alg: string) => generateKeyPair(alg, { extractable: true })
const publicPem = async (alg: string): Promise<string> => exportSPKI((await pair(alg)).publicKey)
const block = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
const bodyOf = (pem: string): string => pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, '')

const faults = (text: string): string[] => {
  const parsed = parsePublicKeys(text)
  return parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path}: ${message}`)
}
const PEM = await publicPem('ES256')
const OTHER = await publicPem('ES256')
const BROKEN = /^\[1\]: is broken/
const EXPECTED = /^: expected only -----BEGIN PUBLIC KEY-----/

describe('the document keystone-keys', () => {
  it('holds one key or several, each of which can be imported', async () => {
    for (const [text, count] of [
      [PEM, 1],
      [PEM + OTHER, 2],
      [`\uFEFF# of 2026\n${PEM}\n\t # and of 2027\r\n${OTHER.replaceAll('\n', '\r\n')}\r\n`, 2],
      [block('PUBLIC KEY', bodyOf(PEM)), 1],
    ] as const) {
      const parsed = parsePublicKeys(text)
      expect(parsed).toMatchObject({ ok: true, value: { length: count } })
      for (const key of parsed.ok ? parsed.value : []) expect(await key()).toMatchObject({ usages: ['verify'] })
    }
  })

  it('imports a key once', async () => {
    const parsed = parsePublicKeys(PEM)
    const key = parsed.ok ? parsed.value[0] : undefined
    expect(await key?.()).toBeDefined()
    expect(await key?.()).toBe(await key?.())
  })

  it('is emptied by {}', () => {
    expect(parsePublicKeys(' {}\n')).toEqual({ ok: true, value: [] })
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
      ['an RSA key', await publicPem('RS256'), /^\[1\]: is no P-256 key/],
      ['a P-384 key', await publicPem('ES384'), /^\[1\]: is no P-256 key/],
      ['an Ed25519 key', await publicPem('EdDSA'), /^\[1\]: is no P-256 key/],
      ['RSA in its old form', block('RSA PUBLIC KEY', 'AAAA'), /^\[1\]: is no -----BEGIN PUBLIC KEY/],
      ['base64 with a hole', block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 50)}!${bodyOf(PEM).slice(51)}`), BROKEN],
      ['base64 that is cut off', block('PUBLIC KEY', short), BROKEN],
      ['base64 that goes on', block('PUBLIC KEY', `${short}AAAAAAAA`), BROKEN],
      ['an empty block', block('PUBLIC KEY', ''), BROKEN],
      ['a point off the curve', block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 36)}${'A'.repeat(86)}==`), BROKEN],
      ['more than 4 KiB', PEM.repeat(30), /^: is larger than 4 KiB$/],
    ]
    for (const [name, text, expected] of cases) {
      const found = faults(text)
      expect([name, found]).toEqual([name, [expect.stringMatching(expected)]])
      for (const part of bodyOf(text).match(/[A-Za-z0-9+/]{16,}/g) ?? []) expect(found.join()).not.toContain(part)
    }
  })

  it('with one changed character in the point is refused', () => {
    const body = bodyOf(PEM)
    for (let index = 36; index < 122; index += 1) {
      const other = body[index] === 'A' ? 'Q' : 'A'
      expect(faults(block('PUBLIC KEY', body.slice(0, index) + other + body.slice(index + 1)))).toHaveLength(1)
    }
  })

  it('names each faulty key by its number, and takes none of the others', async () => {
    expect(faults(PEM + (await publicPem('ES384')) + OTHER + block('CERTIFICATE', 'AAAA'))).toEqual([
      expect.stringMatching(/^\[2\]: is no P-256 key/),
      expect.stringMatching(/^\[4\]: is a certificate/),
    ])
  })
})
