import { errors, jwtVerify } from 'jose'
import { revealToken, type Token } from '../lib/secret.ts'
import type { PublicKey } from './public-keys.ts'

/** Why Keystone would not accept a token, so that no look-up is needed. */
export type SignatureRefusal = { readonly reason: 'bad_signature' | 'expired' }

/**
 * Checks a token of format `jws` against all keys, because several keys are in use while Keystone changes keys and the
 * tokens carry no `kid`. Each key verifies tokens of its own algorithm only, whatever the header says (RFC 8725, 3.1).
 * `expired` is said of signed tokens only: `exp` is now, past, missing or no number, or another time is wrong. `undefined`:
 * the signature and the times hold. Never rejects.
 */
export async function checkSignature(
  token: Token,
  keys: readonly PublicKey[],
  nowMs: number,
): Promise<SignatureRefusal | undefined> {
  for (const key of keys) {
    const refusal = await verify(revealToken(token), key, new Date(nowMs))
    if (refusal?.reason !== 'bad_signature') return refusal
  }
  return BAD_SIGNATURE
}

async function verify(
  token: string,
  { alg, key }: PublicKey,
  currentDate: Date,
): Promise<SignatureRefusal | undefined> {
  try {
    const options = { algorithms: [alg], requiredClaims: ['exp'], currentDate }
    const { protectedHeader } = await jwtVerify(token, key, options)
    // jose knows the extension `b64`; Keystone uses no extension (RFC 7515, 4.1.11).
    return protectedHeader.crit === undefined ? undefined : BAD_SIGNATURE
  } catch (error) {
    // Claims are looked at after the signature.
    const isSigned = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
    return isSigned ? { reason: 'expired' } : BAD_SIGNATURE
  }
}

const BAD_SIGNATURE: SignatureRefusal = { reason: 'bad_signature' }
