import { compactVerify } from 'jose'
import * as v from 'valibot'
import { err, ok, type Result } from '../result.ts'
import { revealToken, type Token } from '../secret.ts'
import type { PublicKey } from './public-keys.ts'
import { isPathSegment } from './token.ts'

/** Why a token that no Keystone would take needs no look-up. */
export type SignatureRefusal = { readonly reason: 'bad_signature' | 'expired' }

/** What Keystone's signature vouches for. It carries no name and no role, so it lets nobody in by itself. */
export interface SignedUser {
  /** Whose groups Keystone can be asked for; `undefined` for a federated user, whose groups come with the token. */
  readonly groupsOf: string | undefined
}

const Claims = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ sub: v.string(), exp: v.number(), openstack_group_ids: v.optional(v.unknown()) }),
)

/**
 * Checks a token of format `jws` against all keys: several are in use while Keystone changes them, and its tokens carry
 * no `kid`. ES256 only, whatever the header asks for (RFC 8725, 3.1), and no `crit` extension is understood (RFC 7515,
 * 4.1.11). The signature comes first, so that `expired` is only said of a token that was one. Never rejects.
 */
export async function checkSignature(
  token: Token,
  keys: readonly PublicKey[],
  nowMs: number,
): Promise<Result<SignedUser, SignatureRefusal>> {
  for (const key of keys) {
    const payload = await verify(token, key)
    if (payload === undefined) continue
    const claims = v.safeParse(Claims, new TextDecoder().decode(payload))
    if (!claims.success) break
    const { sub, exp, openstack_group_ids: federated } = claims.output
    if (exp * 1000 <= nowMs) return err({ reason: 'expired' })
    return ok({ groupsOf: federated === undefined && isPathSegment(sub) ? sub : undefined })
  }
  return err({ reason: 'bad_signature' })
}

async function verify(token: Token, key: PublicKey): Promise<Uint8Array | undefined> {
  try {
    return (await compactVerify(revealToken(token), await key(), { algorithms: ['ES256'] })).payload
  } catch {
    return undefined
  }
}
