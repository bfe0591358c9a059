import type { Query } from '../cache/identity-cache.ts'
import type { Documents } from '../documents/registry.ts'
import { checkSignature, type SignatureRefusal } from '../keystone/signature.ts'
import { recogniseTokenFormat } from '../keystone/token-format.ts'
import type { Clock } from '../lib/clock.ts'

/** Why the signature of a JWS token does not hold by the keys in force; `undefined` where it holds, or there are no keys. Never rejects. */
export type CheckSigned = (asked: Pick<Query, 'token' | 'ctx'>) => Promise<SignatureRefusal | undefined>

export function createCheckSigned(keystoneKeys: Documents['keystoneKeys'], { now }: Pick<Clock, 'now'>): CheckSigned {
  return async function checkSigned({ token, ctx }) {
    const waiting = keystoneKeys.refresh(ctx)
    if (waiting) await waiting
    const keys = keystoneKeys.state.value ?? []
    return keys.length === 0 ? undefined : checkSignature(token, keys, now())
  }
}

/** Whether a token that was accepted would be accepted again: only JWS tokens carry a signature that is checked here. */
export async function isStillSigned(asked: Pick<Query, 'token' | 'ctx'>, check: CheckSigned): Promise<boolean> {
  return recogniseTokenFormat(asked.token) !== 'jws' || (await check(asked)) === undefined
}
