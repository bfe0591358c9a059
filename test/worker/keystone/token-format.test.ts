import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTokenText, recogniseTokenFormat } from '../../../src/keystone/token-format.ts'
import { concealToken } from '../../../src/lib/secret.ts'
import { base64url, fernetShaped, jwsShaped } from '../../support/tokens.ts'

const recognise = (text: string) => recogniseTokenFormat(concealToken(text))

/** Fernet-shaped bytes with `blocks` blocks of ciphertext. */
function fernet(blocks: number): string {
  const bytes = new Uint8Array(57 + 16 * blocks).fill(7)
  bytes.set([0x80, 0, 0, 0, 0])
  return base64url(bytes)
}

describe('the shape of a token', () => {
  const padded = fernet(5)
  const cases: [string, string, ReturnType<typeof recognise>][] = [
    ['fernet, unscoped (162 characters)', fernet(4), 'fernet'],
    ['fernet, project (183)', fernet(5), 'fernet'],
    ['fernet with its padding', `${padded}${'='.repeat((4 - (padded.length % 4)) % 4)}`, 'fernet'],
    ['fernet with 100 federated groups', fernet(134), 'fernet'],
    ['fernet near 16 KiB', fernet(764), 'fernet'],
    ['fernet over 16 KiB', fernet(766), undefined],
    ['fernet too short for any scope', fernet(3), undefined],
    ['fernet with a character cut off', padded.slice(0, -1), undefined],
    ['fernet with a character too many', `${padded}A`, undefined],
    ['fernet with padding that does not fit', `${padded}==`, padded.length % 4 === 2 ? 'fernet' : undefined],
    ['fernet with standard base64', padded.replace(/.$/, '+'), undefined],
    ['another version byte', `hAAAAA${padded.slice(6)}`, undefined],
    ['jws', jwsShaped(), 'jws'],
    ['jws with ES384', jwsShaped({}, { alg: 'ES384' }, 96), 'jws'],
    ['jws with ES512', jwsShaped({}, { alg: 'ES512' }, 132), 'jws'],
    ['jws with EdDSA', jwsShaped({}, { alg: 'EdDSA' }), 'jws'],
    ['jws with ES384 and the signature of ES256', jwsShaped({}, { alg: 'ES384' }), undefined],
    ['jws with ES256 and the signature of ES512', jwsShaped({}, { alg: 'ES256' }, 132), undefined],
    ['jws with Ed25519, as Keystone never writes it', jwsShaped({}, { alg: 'Ed25519' }), undefined],
    ['jws with RS256', jwsShaped({}, { alg: 'RS256' }), undefined],
    ['jws whose alg is a property of objects', jwsShaped({}, { alg: 'toString' }), undefined],
    [
      'a ServiceAccount token',
      jwsShaped({ iss: 'https://kubernetes.default.svc' }, { alg: 'RS256', kid: 'x' }),
      undefined,
    ],
    ['jws with iss', jwsShaped({ iss: 'https://kubernetes.default.svc' }), undefined],
    ['jws with an empty iss', jwsShaped({ iss: null }), undefined],
    ['jws without sub', jwsShaped({ sub: undefined }), undefined],
    ['jws whose exp is text', jwsShaped({ exp: '1' }), undefined],
    ['jws with alg none', jwsShaped({}, { alg: 'none' }), undefined],
    ['jws with HS256', jwsShaped({}, { alg: 'HS256' }), undefined],
    ['jws with a short signature', jwsShaped().slice(0, -1), undefined],
    ['jws with a fourth part', `${jwsShaped()}.x`, undefined],
    ['uuid', 'a0'.repeat(16), 'uuid'],
    ['uuid in capitals', 'A0'.repeat(16), undefined],
    ['64 hex digits', 'a0'.repeat(32), undefined],
    ['empty', '', undefined],
    ['a basic credential', 'user1:password', undefined],
    ['a newline behind a good token', `${fernetShaped()}\n`, undefined],
    ['a space in a good token', `${fernetShaped().slice(0, 100)} ${fernetShaped().slice(101)}`, undefined],
    ['a character that is not ASCII', `${fernetShaped().slice(0, -1)}é`, undefined],
  ]
  for (const [name, text, format] of cases) {
    it(`${name}: ${format ?? 'refused'}`, () => expect(recognise(text)).toBe(format))
  }

  it('is recognised whatever the content of a fernet token is', () => {
    fc.assert(fc.property(fc.integer({ min: 4, max: 700 }), (blocks) => recognise(fernet(blocks)) === 'fernet'))
  })

  it('never makes an exception, and whatever passes fits a header', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ maxLength: 400 }).map((text) => `gAAAAA${text}`),
      fc
        .tuple(fc.json(), fc.json())
        .map(([header, payload]) => `${btoa(encodeURI(header))}.${btoa(encodeURI(payload))}.${'A'.repeat(86)}`),
      fc
        .tuple(fc.constantFrom(fernetShaped(), jwsShaped()), fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }))
        .map(([token, at, insert]) => token.slice(0, at % token.length) + insert + token.slice(at % token.length)),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        if (recognise(text) === undefined) return true
        expect(isTokenText(concealToken(text))).toBe(true)
        return new Headers({ 'X-Auth-Token': text }).get('X-Auth-Token') === text
      }),
      { numRuns: 5000 },
    )
  })
})
