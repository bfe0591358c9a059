import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import type { Client } from './clients.ts'
import type { Subject } from './users.ts'

/** The signature algorithms that a provider may be set to. */
export type Algorithm = 'RS256' | 'ES256'

/** What a token is issued for. */
interface Grant {
  client: Client
  subject: Subject
  scopes: readonly string[]
}

/** The answer of the token endpoint (RFC 6749, 5.1; an `id_token` with the scope `openid`). */
interface TokenAnswer {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  scope: string
  id_token?: string
}

/** Issues access tokens, and says what they are. */
export interface AccessTokens {
  /** The public key, as a member of a key set. */
  jwk: JWK
  issue(grant: Grant): Promise<TokenAnswer>
  /** The answer of the introspection endpoint (RFC 7662): `active: false` and nothing else for all but a valid one. */
  introspect(token: string): Promise<Record<string, unknown>>
}

/** With a key of its own. Tokens are valid for `lifetimeSeconds`. */
export async function createAccessTokens(
  issuer: string,
  { algorithm, lifetimeSeconds, now }: { algorithm: Algorithm; lifetimeSeconds: number; now: () => number },
): Promise<AccessTokens> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const kid = randomUUID()
  const sign = (typ: string, audience: string, claims: Record<string, unknown>) => {
    const issuedAt = Math.floor(now() / 1000)
    return new SignJWT({ ...claims, jti: randomUUID() })
      .setProtectedHeader({ alg: algorithm, kid, typ })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(privateKey)
  }
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
    async issue({ client, subject, scopes }) {
      const scope = scopes.join(' ')
      return {
        access_token: await sign('at+jwt', 'keystone', { ...subject, client_id: client.id, scope }),
        token_type: 'Bearer',
        expires_in: lifetimeSeconds,
        scope,
        ...(scopes.includes('openid') && { id_token: await sign('JWT', client.id, { ...subject }) }),
      }
    },
    async introspect(token) {
      // The type keeps an ID token, which has the same signature, from being taken for an access token (RFC 9068).
      const expected = { issuer, typ: 'at+jwt', algorithms: [algorithm], currentDate: new Date(now()) }
      const verified = await jwtVerify(token, publicKey, expected).catch(() => undefined)
      return verified === undefined ? { active: false } : { active: true, token_type: 'Bearer', ...verified.payload }
    },
  }
}
