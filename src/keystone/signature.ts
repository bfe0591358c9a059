import { decodeBase64Url, toBytes } from '../lib/base64.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { PublicKey } from './public-keys.ts'
import { isPathSegment } from './token-answer.ts'
import { parseSegment } from './token-format.ts'

/** Why a token that no Keystone would take needs no look-up. */
export type SignatureRefusal = { readonly reason: 'bad_signature' | 'expired' }

/** What Keystone's signature vouches for. It carries no name and no role, so it lets nobody in by itself. */
export interface SignedUser {
  /** Whose groups Keystone can be asked for; `undefined` for a federated user, whose groups come with the token. */
  readonly groupsOf: string | undefined
}

/**
 * Checks a token of format `jws` against all keys: several are in use while Keystone changes them, and its tokens carry
 * no `kid`. ES256 only, whatever the header asks for (RFC 8725, 3.1), and no `crit` extension is understood (RFC 7515,
 * 4.1.11). The signature comes first, so that `expired` is only said of a token that was one. Never rejects.
 *
 * By the platform's own ECDSA, whose format of a signature is that of ES256 (RFC 7518, 3.4): a library's check adds
 * 0.9 KiB to the bundle and does the same.
 */
export async function checkSignature(
  token: Token,
  keys: readonly PublicKey[],
  nowMs: number,
): Promise<Result<SignedUser, SignatureRefusal>> {
  const [header = '', payload = '', signature = ''] = revealToken(token).split('.')
  const protectedHeader = parseSegment(header)
  const claims = parseSegment(payload)
  const isUnderstood = protectedHeader?.alg === 'ES256' && !('crit' in protectedHeader)
  if (!isUnderstood || claims === undefined || !(await isSigned(`${header}.${payload}`, signature, keys))) {
    return err({ reason: 'bad_signature' })
  }
  const { sub, exp, openstack_group_ids: federated } = claims
  if (typeof exp !== 'number' || exp * 1000 <= nowMs) return err({ reason: 'expired' })
  const isAskedFor = federated === undefined && typeof sub === 'string' && ID.test(sub) && isPathSegment(sub)
  return ok({ groupsOf: isAskedFor ? sub : undefined })
}

/** Ids of Keystone's users are plain; of any other the groups are read after the validation. */
const ID = /^[\x21-\x7e]+$/

async function isSigned(text: string, signature: string, keys: readonly PublicKey[]): Promise<boolean> {
  const signed = new TextEncoder().encode(text)
  for (const key of keys) {
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    if (await crypto.subtle.verify(algorithm, await key(), toBytes(decodeBase64Url(signature)), signed)) return true
  }
  return false
}
