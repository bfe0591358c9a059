import { toBytes } from '../lib/base64.ts'
import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** A key that a Keystone with the jws provider may sign tokens with; imported when it is first used, and kept. */
export type PublicKey = () => Promise<CryptoKey>

/** 23 keys; a token that none of them signed costs a verification for each. */
const MAX_CHARACTERS = 4096

const COMMENT = /^\s*#.*$/gm
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]|=)=)?$/

// SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480): 26 bytes that are always the same and the 0x04 of the
// point are just these 36 characters; the point's 64 bytes are the rest.
const P256_START = 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'
const P256_REST = /^[A-Za-z0-9+/]{85}[AQgw]==$/
const BROKEN = 'is broken: copy the whole file again'
/** The curve y² = x³ − 3x + b over p (FIPS 186-4, D.1.2.3). */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

/**
 * Reads the document `keystone-keys`: PEM blocks of P-256 public keys (RFC 7468), lines that start with `#`, and
 * nothing else; `{}` is no key. Faults are named by the number of the key (`[1]` is the first), repeat nothing of the
 * text, and refuse the whole of it: a key that was left out in silence would refuse the tokens that it signed.
 */
export function parsePublicKeys(text: string): Result<readonly PublicKey[], readonly Fault[]> {
  if (text.trim() === '{}') return ok([])
  if (text.length > MAX_CHARACTERS) return err([{ path: '', message: 'is larger than 4 KiB' }])
  const uncommented = text.replace(COMMENT, '')
  const blocks = [...uncommented.matchAll(BLOCK)].map(([, label = '', body = '']) => ({
    label,
    base64: body.replace(/\s/g, ''),
  }))
  const faults = blocks.flatMap(({ label, base64 }, index): Fault[] => {
    const message = findFault(label, base64)
    return message === undefined ? [] : [{ path: `[${index + 1}]`, message }]
  })
  if (blocks.length === 0 || uncommented.replace(BLOCK, '').trim() !== '') {
    const message = 'expected only -----BEGIN PUBLIC KEY----- blocks and lines that start with #, or {}'
    faults.push({ path: '', message })
  }
  return faults.length > 0 ? err(faults) : ok(blocks.map(({ base64 }) => toPublicKey(base64)))
}

function findFault(label: string, base64: string): string | undefined {
  if (label.endsWith('PRIVATE KEY')) return 'is a private key, and known now: make a new pair'
  if (label.endsWith('CERTIFICATE')) return 'is a certificate: put its public key'
  if (label !== 'PUBLIC KEY') return 'is no -----BEGIN PUBLIC KEY-----'
  const rest = base64.slice(P256_START.length)
  const isP256 = base64.startsWith(P256_START)
  if (!(isP256 ? P256_REST : BASE64).test(isP256 ? rest : base64)) return BROKEN
  if (!isP256) return 'is no P-256 key'
  return isOnCurve(base64) ? undefined : BROKEN
}

function isOnCurve(base64: string): boolean {
  const hex = Array.from(toBytes(atob(base64)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const [x, y] = [BigInt(`0x${hex.slice(54, 118)}`), BigInt(`0x${hex.slice(118)}`)]
  return x < P && y < P && (y * y - x ** 3n + 3n * x - B) % P === 0n
}

/** It is the key that is kept, not a promise of it: one of a cancelled request would never settle for the others. */
function toPublicKey(base64: string): PublicKey {
  let key: CryptoKey | undefined
  return async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    key ??= await crypto.subtle.importKey('spki', toBytes(atob(base64)), algorithm, false, ['verify'])
    return key
  }
}
