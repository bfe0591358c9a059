import { decodeJwt, decodeProtectedHeader } from 'jose'
import { revealToken, type Token } from '../lib/secret.ts'

/** The shapes in which Keystone issues tokens. */
type TokenFormat = 'fernet' | 'jws' | 'uuid'

/** The algorithms by which Keystone signs (RFC 7518, 3.1; RFC 8037, 3.1). */
export type JwsAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

/** 16 KiB: longer than any fernet token seen (2,935 characters with 100 federated groups), short enough for a header. */
const MAX_TOKEN_LENGTH = 16_384

const PRINTABLE = /^[\x21-\x7e]+$/
const UUID = /^[0-9a-f]{32}$/
const FERNET = /^gAAAAA[A-Za-z0-9_-]{154,}={0,2}$/
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Signatures of 64, 96, 132 and 64 bytes. The last character of 64 bytes is one of four: others would spell the same signature. */
const SIGNATURES = {
  ES256: /^[\w-]{85}[AQgw]$/,
  ES384: /^[\w-]{128}$/,
  ES512: /^[\w-]{176}$/,
  EdDSA: /^[\w-]{85}[AQgw]$/,
} as const satisfies Readonly<Record<JwsAlgorithm, RegExp>>

/** Whether the text can be anybody's token at all: not empty, at most 16 KiB, bytes 0x21 to 0x7E only. */
export function isTokenText(token: Token): boolean {
  const text = revealToken(token)
  return text.length <= MAX_TOKEN_LENGTH && PRINTABLE.test(text)
}

/**
 * Recognises Keystone's token by shape alone. Everything else (ServiceAccount and OIDC tokens that have expired,
 * garbage) is `undefined` and must not cost a look-up: kube-apiserver sends all of it here.
 */
export function recogniseTokenFormat(token: Token): TokenFormat | undefined {
  if (!isTokenText(token)) return undefined
  const text = revealToken(token)
  if (UUID.test(text)) return 'uuid'
  if (FERNET.test(text)) return isFernetLength(text) ? 'fernet' : undefined
  return JWS.test(text) && isKeystoneJws(text) ? 'jws' : undefined
}

// Version byte, 8 bytes of time, 16 of IV, blocks of 16, 32 of HMAC: 57 + 16n bytes. Some deployments strip the padding.
function isFernetLength(text: string): boolean {
  const unpadded = text.replace(/=+$/, '')
  const canBePadded = unpadded.length === text.length || text.length % 4 === 0
  return canBePadded && unpadded.length % 4 !== 1 && (Math.floor((unpadded.length * 3) / 4) - 57) % 16 === 0
}

// A Kubernetes ServiceAccount or OIDC token carries `iss`; one of Keystone's never does.
function isKeystoneJws(text: string): boolean {
  try {
    const { alg = '' } = decodeProtectedHeader(text)
    const claims = decodeJwt(text)
    const signature = text.slice(text.lastIndexOf('.') + 1)
    const hasSignature = isJwsAlgorithm(alg) && SIGNATURES[alg].test(signature)
    return hasSignature && typeof claims.sub === 'string' && typeof claims.exp === 'number' && !('iss' in claims)
  } catch {
    return false
  }
}

function isJwsAlgorithm(alg: string): alg is JwsAlgorithm {
  return Object.hasOwn(SIGNATURES, alg)
}
