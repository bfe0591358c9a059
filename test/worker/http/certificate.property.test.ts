import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallerIdentifier } from '../../../src/http/caller-identifier.ts'
import { decodeCertificate } from '../../../src/http/certificate.ts'
import { FINGERPRINT, OTHER_FINGERPRINT, presenting, VERIFIED } from '../../support/certificates.ts'

const RELEVANT = ['certPresented', 'certVerified', 'certRevoked', 'certFingerprintSHA256'] as const
const VALUES = [
  '0',
  '1',
  0,
  1,
  true,
  null,
  '',
  'SUCCESS',
  'success',
  'NONE',
  ' SUCCESS',
  'SUCCESS\n',
  '00',
  '01',
  ['1'],
]

const callers = { clusters: new Map([[`cert:${FINGERPRINT}`, 'prod-1']]), own: new Map() }
const identifier = new CallerIdentifier({ refresh: () => undefined, inForce: () => callers })

async function isLetIn(tlsClientAuth: unknown): Promise<boolean> {
  return (await identifier.identify(new Request('https://webhook.test', presenting(tlsClientAuth)))).ok
}

/** Anything that a field could hold, near to what it should and far from it. */
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(...VALUES),
  fc.jsonValue(),
  fc.constantFrom(FINGERPRINT, OTHER_FINGERPRINT, FINGERPRINT.slice(1), `${FINGERPRINT}0`, `cert:${FINGERPRINT}`),
  fc.tuple(fc.nat(63), fc.constantFrom('g', ':', ' ', '\n', '\0', 'é', 'ſ')).map(([at, character]) => {
    return FINGERPRINT.slice(0, at) + character + FINGERPRINT.slice(at + 1)
  }),
)

/** One to four relevant fields that are missing or hold something else. */
const mutation = fc.dictionary(fc.constantFrom(...RELEVANT), fc.option(anyValue, { nil: undefined }), { minKeys: 1 })

function isSame(fields: Readonly<Record<string, unknown>>): boolean {
  return Object.entries({ ...VERIFIED, ...fields }).every(([field, value]) => {
    const right = Reflect.get(VERIFIED, field)
    if (field === 'certFingerprintSHA256') return typeof value === 'string' && value.toLowerCase() === right
    return !RELEVANT.some((relevant) => relevant === field) || value === right
  })
}

describe('a verified certificate that is listed', () => {
  it('lets in', async () => {
    expect(await isLetIn(VERIFIED)).toBe(true)
  })

  it('lets in whatever the other fields say, or if they are missing', async () => {
    const others = Object.keys(VERIFIED).filter((field) => !RELEVANT.some((relevant) => relevant === field))
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...others, 'certNew'), fc.jsonValue()),
        fc.boolean(),
        async (fields, bare) => {
          const base = bare ? Object.fromEntries(RELEVANT.map((field) => [field, VERIFIED[field]])) : VERIFIED
          expect(await isLetIn({ ...base, ...fields })).toBe(true)
        },
      ),
    )
  })

  it('lets in with the fingerprint in any case', async () => {
    await fc.assert(
      fc.asyncProperty(fc.mixedCase(fc.constant(FINGERPRINT)), async (certFingerprintSHA256) => {
        expect(await isLetIn({ ...VERIFIED, certFingerprintSHA256 })).toBe(true)
      }),
    )
  })

  it('does not after any mutation of a field that matters', async () => {
    let refused = 0
    await fc.assert(
      fc.asyncProperty(mutation, async (fields) => {
        const isYes = isSame(fields)
        if (!isYes) refused += 1
        expect(await isLetIn({ ...VERIFIED, ...fields })).toBe(isYes)
      }),
      { numRuns: 3000 },
    )
    expect(refused).toBeGreaterThan(2000)
  })

  it('does not when a field that matters has another name or lies elsewhere', async () => {
    for (const field of RELEVANT) {
      const { [field]: value, ...rest } = VERIFIED
      for (const wrong of [field.toLowerCase(), `${field} `, field.toUpperCase()]) {
        expect(await isLetIn({ ...rest, [wrong]: value })).toBe(false)
      }
      expect(await isLetIn({ ...rest, nested: VERIFIED })).toBe(false)
    }
    expect(await isLetIn([VERIFIED])).toBe(false)
    expect(await isLetIn(JSON.stringify(VERIFIED))).toBe(false)
  })
})

describe('anything else in the place of a certificate', () => {
  it('is none, and never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withNullPrototype: true }), async (stated) => {
        expect(decodeCertificate(stated)?.state).not.toBe('verified')
      }),
      { numRuns: 2000 },
    )
    for (const stated of [undefined, null, '', 0, Symbol.iterator, () => VERIFIED]) {
      expect(decodeCertificate(stated)).toBeUndefined()
    }
  })
})
