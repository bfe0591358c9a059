import { base64url, CompactEncrypt, compactDecrypt } from 'jose'
import type { Fingerprints, SealPurpose } from './fingerprint.ts'

/** The purpose and the owner of a sealed value. The value opens under the same purpose and owner only. */
interface SealContext {
  readonly purpose: SealPurpose
  /** The token of an identity, or the key of a document. */
  readonly binding: string
}

export interface Sealer {
  /** Seals under the newest cache key. */
  seal(context: SealContext, plaintext: string): Promise<string>
  /** Opens a value that was sealed under the cache key at `keyIndex`; `undefined` for any other text. */
  open(context: SealContext, keyIndex: number, sealed: string): Promise<string | undefined>
}

/**
 * Compact JWE (RFC 7516, 7.1) with `dir` (RFC 7518, 4.5) and `A256GCM` (5.3), under a key derived by HKDF (RFC 5869) from
 * the cache key and the binding. A reader of the KV namespace sees neither a value nor its length to the KiB. A writer can
 * neither forge a value nor move a value to another token, purpose or Keystone.
 */
export function createSealer(cacheKeys: readonly Uint8Array[], keystoneUrl: string): Sealer {
  return {
    async seal(context, plaintext) {
      const key = await deriveKey(cacheKeys, 0, context, keystoneUrl)
      return new CompactEncrypt(pad(plaintext)).setProtectedHeader(HEADER).encrypt(key)
    },
    async open(context, keyIndex, sealed) {
      // The header is fixed, so that a value cannot choose an algorithm, `zip` or `crit` (RFC 8725, 3.1).
      if (!sealed.startsWith(START)) return undefined
      const key = await deriveKey(cacheKeys, keyIndex, context, keystoneUrl)
      try {
        const { plaintext } = await compactDecrypt(sealed, key, ALGORITHMS)
        return new TextDecoder().decode(plaintext).trimEnd()
      } catch {
        return undefined
      }
    },
  }
}

/** The part of a KV namespace that is used. */
export type CacheNamespace = Pick<KVNamespace, 'put' | 'delete'> & {
  get(keys: string[], options: { type: 'text'; cacheTtl: number }): Promise<Map<string, string | null>>
}

interface SealedValue {
  /** Of the cache key that sealed the value; 0 is the newest. */
  readonly keyIndex: number
  /** `undefined`: something else stands there. */
  readonly opened: string | undefined
}

/** The shortest that KV allows. Absent keys are cached as well, so a long one would hide what was just written. */
const EDGE_CACHE_SECONDS = 30

/** What KV has under the fingerprints, that of the newest cache key first. Rejects as the namespace does. */
export async function readSealed(
  { namespace, sealer }: { readonly namespace: CacheNamespace; readonly sealer: Sealer },
  context: SealContext,
  fingerprints: Fingerprints,
): Promise<SealedValue[]> {
  const names = fingerprints.map((fingerprint) => `${context.purpose}/${fingerprint}`)
  const values = await namespace.get(names, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
  const found = names.map(async (name, keyIndex) => {
    const sealed = values.get(name) ?? undefined
    return sealed === undefined ? undefined : { keyIndex, opened: await sealer.open(context, keyIndex, sealed) }
  })
  return (await Promise.all(found)).filter((value) => value !== undefined)
}

const HEADER = { alg: 'dir', enc: 'A256GCM' }
const ALGORITHMS = { keyManagementAlgorithms: [HEADER.alg], contentEncryptionAlgorithms: [HEADER.enc] }
/** The encoded header and the encrypted key, which is empty for `dir` (RFC 7518, 4.5). */
const START = `${base64url.encode(JSON.stringify(HEADER))}..`
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

/** Appends spaces up to the next full KiB. All plaintexts are JSON, which does not end in a space. */
function pad(plaintext: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(plaintext)
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES).fill(0x20)
  padded.set(bytes)
  return padded
}
