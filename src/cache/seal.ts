import { CompactEncrypt, compactDecrypt } from 'jose'
import type { SealPurpose } from './fingerprint.ts'

/** What a sealed value is for and what it belongs to; it opens under exactly the same two. */
export interface SealContext {
  readonly purpose: SealPurpose
  /** What the value is bound to: the token of an identity, the key of a document. */
  readonly binding: string
}

export interface Sealer {
  /** Seals under the newest cache key. */
  seal(context: SealContext, plaintext: string): Promise<string>
  /** Opens what was sealed under the cache key at `keyIndex`; `undefined` for anything else. */
  open(context: SealContext, keyIndex: number, sealed: string): Promise<string | undefined>
}

/**
 * Compact JWE (RFC 7516, 7.1; RFC 7518: `dir`, 4.5, and `A256GCM`, 5.3) under a key derived by HKDF (RFC 5869) from the
 * cache key together with the binding. A reader of the KV namespace learns nothing, not even roughly how long a value is; a
 * writer can neither forge a value nor move one to another token, purpose or Keystone.
 */
export function createSealer(cacheKeys: readonly Uint8Array[], keystoneUrl: string): Sealer {
  return {
    async seal(context, plaintext) {
      const key = await deriveKey(cacheKeys, 0, context, keystoneUrl)
      return new CompactEncrypt(pad(plaintext)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key)
    },
    async open(context, keyIndex, sealed) {
      const key = await deriveKey(cacheKeys, keyIndex, context, keystoneUrl)
      try {
        const { plaintext } = await compactDecrypt(sealed, key, ACCEPTED)
        return new TextDecoder().decode(plaintext).trimEnd()
      } catch {
        return undefined
      }
    },
  }
}

/** Only this code names the algorithms (RFC 8725, 3.1), never the value. */
const ACCEPTED = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
const BLOCK_BYTES = 1024

async function deriveKey(
  cacheKeys: readonly Uint8Array[],
  keyIndex: number,
  { purpose, binding }: SealContext,
  keystoneUrl: string,
): Promise<CryptoKey> {
  const cacheKey = cacheKeys[keyIndex]
  if (cacheKey === undefined) throw new Error('no cache key')
  const encoder = new TextEncoder()
  // The cache key has a fixed length, so the concatenation is unambiguous.
  const material = new Uint8Array([...cacheKey, ...encoder.encode(binding)])
  const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey'])
  const info = encoder.encode(`keystone-edge-auth/1/seal/${purpose}\n${keystoneUrl}`)
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info }
  return crypto.subtle.deriveKey(parameters, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** Spaces up to the next full KiB; JSON, which all plaintexts are, does not end in spaces of its own. */
function pad(plaintext: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(plaintext)
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES).fill(0x20)
  padded.set(bytes)
  return padded
}
