import { importSPKI } from 'jose'
import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import type { JwsAlgorithm } from './token-format.ts'

/** A key that a Keystone with the jws provider may sign tokens with. */
export interface PublicKey {
  /** The only algorithm of tokens that the key verifies (RFC 8725, 3.1). */
  readonly alg: JwsAlgorithm
  readonly key: CryptoKey
}

/** 15 keys of P-521, 19 of P-384, 23 of P-256 or 36 of Ed25519. */
const MAX_CHARACTERS = 4096

const COMMENT = /^\s*#.*$/gm
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]|=)=)?$/
/**
 * How a SubjectPublicKeyInfo starts, as hex digits, and how many bytes it has: an uncompressed point of a curve (RFC
 * 5480), or Ed25519 (RFC 8410). The algorithm is told from here, because workerd imports a key of any kind as Ed25519.
 */
const KINDS = [
  { alg: 'ES256', start: '3059301306072a8648ce3d020106082a8648ce3d03010703420004', bytes: 91 },
  { alg: 'ES384', start: '3076301006072a8648ce3d020106052b8104002203620004', bytes: 120 },
  { alg: 'ES512', start: '30819b301006072a8648ce3d020106052b810400230381860004', bytes: 158 },
  { alg: 'EdDSA', start: '302a300506032b6570032100', bytes: 44 },
] as const
const BROKEN = 'is broken: copy the whole file again'

/**
 * Reads the document `keystone-keys`: PEM blocks of public keys (RFC 7468) of P-256, P-384, P-521 or Ed25519, and lines
 * that start with `#`; `{}` is no key. A fault names the number of its key (`[1]` is the first), repeats nothing of the
 * text, and makes the whole document invalid: tokens that a missing key signed would be refused.
 */
export async function parsePublicKeys(text: string): Promise<Result<readonly PublicKey[], readonly Fault[]>> {
  if (text.trim() === '{}') return ok([])
  if (text.length > MAX_CHARACTERS) return err([{ path: '', message: 'is larger than 4 KiB' }])
  const uncommented = text.replace(COMMENT, '')
  const blocks = [...uncommented.matchAll(BLOCK)]
  const read = await Promise.all(blocks.map(([, label = '', body = '']) => readKey(label, body.replace(/\s/g, ''))))
  const faults = read.flatMap((key, index) => (key.ok ? [] : [{ path: `[${index + 1}]`, message: key.error }]))
  if (blocks.length === 0 || uncommented.replace(BLOCK, '').trim() !== '') {
    const message = 'expected only -----BEGIN PUBLIC KEY----- blocks and lines that start with #, or {}'
    faults.push({ path: '', message })
  }
  return faults.length > 0 ? err(faults) : ok(read.flatMap((key) => (key.ok ? [key.value] : [])))
}

async function readKey(label: string, base64: string): Promise<Result<PublicKey, string>> {
  if (label.endsWith('PRIVATE KEY')) return err('is a private key, and known now: make a new pair')
  if (label.endsWith('CERTIFICATE')) return err('is a certificate: put its public key')
  if (label !== 'PUBLIC KEY') return err('is no -----BEGIN PUBLIC KEY-----')
  if (!BASE64.test(base64)) return err(BROKEN)
  const bytes = atob(base64)
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  const kind = KINDS.find(({ start }) => hex.startsWith(start))
  if (kind === undefined) return err('is no P-256, P-384, P-521 or Ed25519 key')
  // The bits that base64 does not need are zero: a changed character is a broken copy.
  if (bytes.length !== kind.bytes || btoa(bytes) !== base64) return err(BROKEN)
  try {
    const pem = `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----`
    return ok({ alg: kind.alg, key: await importSPKI(pem, kind.alg) })
  } catch {
    // A point that is not on the curve. Of an Ed25519 key every 32 bytes are imported.
    return err(BROKEN)
  }
}
