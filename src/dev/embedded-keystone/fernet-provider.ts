import { base64url } from 'jose'
import { invalidToken } from './errors.ts'
import { decodePayload, encodePayload } from './fernet-payload.ts'
import type { TokenFormat, TokenPayload } from './token-payload.ts'

const VERSION = 0x80
/** Version, issue time, IV. */
const HEADER_BYTES = 1 + 8 + 16
const MAC_BYTES = 32

/** Written so that it means the right type in Node and in workerd. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>

interface Keys {
  encryption: Key
  signing: Key
}

/**
 * Tokens in the Fernet format (https://github.com/fernet/spec): version, issue time in the clear, IV, AES-128-CBC and
 * HMAC-SHA256, in base64url. Like Keystone it writes no padding and accepts some.
 */
export async function createFernetFormat(): Promise<TokenFormat> {
  const keys: Keys = {
    encryption: await crypto.subtle.importKey('raw', randomBytes(16), 'AES-CBC', false, ['encrypt', 'decrypt']),
    signing: await crypto.subtle.importKey('raw', randomBytes(16), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
      'verify',
    ]),
  }
  return {
    seal(payload) {
      return seal(keys, payload)
    },
    async open(token) {
      const payload = await open(keys, token)
      if (payload === undefined) throw invalidToken('Could not recognize Fernet token')
      return payload
    },
  }
}

async function seal(keys: Keys, payload: TokenPayload): Promise<string> {
  const iv = randomBytes(16)
  const ciphertext = await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, keys.encryption, encodePayload(payload))
  const signed = new Uint8Array(HEADER_BYTES + ciphertext.byteLength)
  signed[0] = VERSION
  new DataView(signed.buffer).setBigUint64(1, BigInt(payload.issuedAt))
  signed.set(iv, 9)
  signed.set(new Uint8Array(ciphertext), HEADER_BYTES)
  const mac = await crypto.subtle.sign('HMAC', keys.signing, signed)
  const token = new Uint8Array(signed.length + MAC_BYTES)
  token.set(signed)
  token.set(new Uint8Array(mac), signed.length)
  return base64url.encode(token)
}

async function open(keys: Keys, token: string): Promise<TokenPayload | undefined> {
  const bytes = decodeBase64url(token)
  if (bytes === undefined || bytes.length < HEADER_BYTES + 16 + MAC_BYTES || bytes[0] !== VERSION) return undefined
  const signed = bytes.slice(0, -MAC_BYTES)
  if (!(await crypto.subtle.verify('HMAC', keys.signing, bytes.slice(-MAC_BYTES), signed))) return undefined
  const iv = signed.slice(9, HEADER_BYTES)
  const plaintext = await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, keys.encryption, signed.slice(HEADER_BYTES))
  const issuedAt = Number(new DataView(signed.buffer).getBigUint64(1))
  return { ...decodePayload(new Uint8Array(plaintext)), issuedAt }
}

function decodeBase64url(token: string): Uint8Array<ArrayBuffer> | undefined {
  const unpadded = token.replace(/=+$/, '')
  if (!/^[A-Za-z0-9_-]+$/.test(unpadded)) return undefined
  try {
    return new Uint8Array(base64url.decode(unpadded))
  } catch {
    return undefined
  }
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}
