import type { Query } from '../cache/identity-cache.ts'
import type { Documents } from '../documents/registry.ts'
import { checkSignature, type SignatureRefusal, type SignedUser } from '../keystone/signature.ts'
import { recogniseTokenFormat } from '../keystone/token-format.ts'
import { ok, type Result } from '../lib/result.ts'

/** What a JWS token's signature says of it, by the keys in force; nothing where there are none. Never rejects. */
export type CheckSigned = (
  asked: Pick<Query, 'token' | 'waitUntil'>,
) => Promise<Result<SignedUser | undefined, SignatureRefusal>>

export function createCheckSigned(keystoneKeys: Documents['keystoneKeys'], now: () => number): CheckSigned {
  return async ({ token, waitUntil }) => {
    const keys = await keystoneKeys(waitUntil)
    return keys.length === 0 ? ok(undefined) : checkSignature(token, keys, now())
  }
}

/** Whether a token that was let in once would pass again: tokens of other formats carry no signature to look at. */
export async function isStillSigned(asked: Pick<Query, 'token' | 'waitUntil'>, check: CheckSigned): Promise<boolean> {
  return recogniseTokenFormat(asked.token) !== 'jws' || (await check(asked)).ok
}
