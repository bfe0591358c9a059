import { decodeBase64Url } from '../lib/base64.ts'
import { revealToken, type Token } from '../lib/secret.ts'

/** The shapes in which Keystone issues tokens. */
export type TokenFormat = 'fernet' | 'jws' | 'uuid'

/** 16 KiB: longer than any fernet token seen (2,935 characters with 100 federated groups), short enough for a header. */
export const MAX_TOKEN_LENGTH = 16_384

const PRINTABLE = /^[\x21-\x7e]+$/
const UUID = /^[0-9a-f]{32}$/
const FERNET = /^gAAAAA[A-Za-z0-9_-]{154,}={0,2}$/
// 64 bytes end in one of four characters; any other would be a second spelling of the same signature.
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]$/

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
  const [header, payload] = text.split('.', 2).map(parseSegment)
  if (header === undefined || payload === undefined) return false
  return (
    header.alg === 'ES256' && typeof payload.sub === 'string' && typeof payload.exp === 'number' && !('iss' in payload)
  )
}

/** A part of a compact JWS (RFC 7515, 3.1) that is a JSON object; `undefined` for anything else. */
export function parseSegment(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(decodeBase64Url(segment))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
