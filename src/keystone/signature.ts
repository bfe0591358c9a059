import { errors, jwtVerify } from 'jose'
import { revealToken, type Token } from '../lib/secret.ts'
import type { PublicKey } from './public-keys.ts'

/** Why a JWS token is refused without a look-up. */
export type SignatureRefusal = { readonly reason: 'bad_signature' | 'expired' }

/**
 * Checks a JWS token against all keys, as Keystone's tokens carry no `kid` and several keys are in use while they are
 * changed. Each key is used for its own algorithm only, whatever the header asks for (RFC 8725, 3.1); no `crit` extension
 * is understood (RFC 7515, 4.1.11). `expired` is only said of a token that one of the keys signed, also where the token
 * has no `exp`. `undefined`: the signature and `exp` hold. Never rejects.
 */
export async function checkSignature(
  token: Token,
  keys: readonly PublicKey[],
  nowMs: number,
): Promise<SignatureRefusal | undefined> {
  const currentDate = new Date(nowMs)
  for (const { alg, key } of keys) {
    try {
      await jwtVerify(revealToken(token), key, { algorithms: [alg], currentDate, requiredClaims: ['exp'] })
      return undefined
    } catch (error) {
      // jose looks at claims only after the signature.
      if (error instanceof errors.JWTExpired || isAboutExp(error)) return { reason: 'expired' }
    }
  }
  return { reason: 'bad_signature' }
}

function isAboutExp(error: unknown): boolean {
  return error instanceof errors.JWTClaimValidationFailed && error.claim === 'exp'
}
