import { importSPKI } from 'jose'
import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import type { JwsAlgorithm } from './token-format.ts'

/** A key that a Keystone with the jws provider may sign tokens with, and the only algorithm that it is used for. */
export interface PublicKey {
  readonly alg: JwsAlgorithm
  readonly key: CryptoKey
}

/** 23 P-256 keys, or 15 P-521 keys; a token that none of them signed costs a verification for each of its algorithm. */
const MAX_CHARACTERS = 4096

const COMMENT = /^\s*#.*$/gm
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]|=)=)?$/
/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, 4). workerd imports every key of any kind as Ed25519, so this is checked first. */
const ED25519 = /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/
const NO_KEY = 'is broken (copy the whole file again), or no P-256, P-384, P-521 or Ed25519 key'

/**
 * Reads the document `keystone-keys`: PEM blocks of public keys (RFC 7468), lines that start with `#`, and nothing else;
 * `{}` is no key. A fault names the number of the key (`[1]` is the first) and repeats nothing of the text. One faulty key
 * refuses the whole document: without it, the tokens that it signs would be refused.
 */
export async function parsePublicKeys(text: string): Promise<Result<readonly PublicKey[], readonly Fault[]>> {
  if (text.trim() === '{}') return ok([])
  if (text.length > MAX_CHARACTERS) return err([{ path: '', message: 'is larger than 4 KiB' }])
  const uncommented = text.replace(COMMENT, '')
  const blocks = [...uncommented.matchAll(BLOCK)]
  const read = await Promise.all(blocks.map(([, label = '', body = '']) => readBlock(label, body.replace(/\s/g, ''))))
  const faults = read.flatMap((key, index): Fault[] => (key.ok ? [] : [{ path: `[${index + 1}]`, message: key.error }]))
  if (blocks.length === 0 || uncommented.replace(BLOCK, '').trim() !== '') {
    const message = 'expected only -----BEGIN PUBLIC KEY----- blocks and lines that start with #, or {}'
    faults.push({ path: '', message })
  }
  return faults.length > 0 ? err(faults) : ok(read.flatMap((key) => (key.ok ? [key.value] : [])))
}

async function readBlock(label: string, base64: string): Promise<Result<PublicKey, string>> {
  if (label.endsWith('PRIVATE KEY')) return err('is a private key, and known now: make a new pair')
  if (label.endsWith('CERTIFICATE')) return err('is a certificate: put its public key')
  if (label !== 'PUBLIC KEY') return err('is no -----BEGIN PUBLIC KEY-----')
  if (!BASE64.test(base64)) return err(NO_KEY)
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----`
  for (const alg of ED25519.test(base64) ? (['EdDSA'] as const) : (['ES256', 'ES384', 'ES512'] as const)) {
    try {
      return ok({ alg, key: await importSPKI(pem, alg) })
    } catch {
      // A key of another curve, a point off its curve, or no key: importSPKI refuses all of them.
    }
  }
  return err(NO_KEY)
}
