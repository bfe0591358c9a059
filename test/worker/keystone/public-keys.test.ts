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
/** A key of that algorithm with the last byte of its point changed. */
async function offCurve(alg: string): Promise<string> {
  const bytes = Uint8Array.from(atob(bodyOf(await publicPem(alg))), (character) => character.charCodeAt(0))
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return block('PUBLIC KEY', btoa(String.fromCharCode(...bytes)))
}
const PEM = await publicPem('ES256')
const OTHER = await publicPem('ES256')
const BROKEN = /^\[1\]: is broken .*, or no P-256, P-384, P-521 or Ed25519 key$/
const EXPECTED = /^: expected only -----BEGIN PUBLIC KEY-----/

describe('the document keystone-keys', () => {
  it('holds one key or several, each of which can be imported', async () => {
    for (const [text, count] of [
      [PEM, 1],
      [PEM + OTHER, 2],
      [`\uFEFF# of 2026\n${PEM}\n\t # and of 2027\r\n${OTHER.replaceAll('\n', '\r\n')}\r\n`, 2],
      [block('PUBLIC KEY', bodyOf(PEM)), 1],
    ] as const) {
      const parsed = await parsePublicKeys(text)
      expect(parsed).toMatchObject({ ok: true, value: { length: count } })
      for (const { alg, key } of parsed.ok ? parsed.value : []) {
        expect([alg, key]).toMatchObject(['ES256', { usages: ['verify'] }])
      }
    }
  })

  it.each(['ES256', 'ES384', 'ES512', 'EdDSA'])('takes a key of %s for that algorithm only', async (alg) => {
    expect(await parsePublicKeys(await publicPem(alg))).toMatchObject({ ok: true, value: [{ alg }] })
  })

  it('holds keys of several algorithms', async () => {
    const text = (await Promise.all(['ES512', 'EdDSA', 'ES256', 'ES384'].map(publicPem))).join('')
    const parsed = await parsePublicKeys(text)
    expect(parsed.ok && parsed.value.map(({ alg }) => alg)).toEqual(['ES512', 'EdDSA', 'ES256', 'ES384'])
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
      ['an RSA key', await publicPem('RS256'), BROKEN],
      [
        'an X25519 key',
        await exportSPKI((await generateKeyPair('ECDH-ES', { extractable: true, crv: 'X25519' })).publicKey),
        BROKEN,
      ],
      ['RSA in its old form', block('RSA PUBLIC KEY', 'AAAA'), /^\[1\]: is no -----BEGIN PUBLIC KEY/],
      ['base64 with a hole', block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 50)}!${bodyOf(PEM).slice(51)}`), BROKEN],
      ['base64 that is cut off', block('PUBLIC KEY', short), BROKEN],
      ['base64 that goes on', block('PUBLIC KEY', `${short}AAAAAAAA`), BROKEN],
      ['an empty block', block('PUBLIC KEY', ''), BROKEN],
      ['a point off the curve', block('PUBLIC KEY', `${bodyOf(PEM).slice(0, 36)}${'A'.repeat(86)}==`), BROKEN],
      ['a point off P-384', await offCurve('ES384'), BROKEN],
      ['a point off P-521', await offCurve('ES512'), BROKEN],
      ['more than 4 KiB', PEM.repeat(30), /^: is larger than 4 KiB$/],
    ]
    for (const [name, text, expected] of cases) {
      const found = await faults(text)
      expect([name, found]).toEqual([name, [expect.stringMatching(expected)]])
      for (const part of bodyOf(text).match(/[A-Za-z0-9+/]{16,}/g) ?? []) expect(found.join()).not.toContain(part)
    }
  })

  it('with one changed character in the point is refused', async () => {
    const body = bodyOf(PEM)
    for (let index = 36; index < 122; index += 1) {
      const other = body[index] === 'A' ? 'Q' : 'A'
      expect(await faults(block('PUBLIC KEY', body.slice(0, index) + other + body.slice(index + 1)))).toHaveLength(1)
    }
  })

  it('names each faulty key by its number, and takes none of the others', async () => {
    expect(await faults(PEM + (await publicPem('RS256')) + OTHER + block('CERTIFICATE', 'AAAA'))).toEqual([
      expect.stringMatching(/^\[2\]: is broken/),
      expect.stringMatching(/^\[4\]: is a certificate/),
    ])
  })
})
