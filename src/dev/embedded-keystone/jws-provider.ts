import { compactVerify, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import * as v from 'valibot'
import { invalidToken } from './errors.ts'
import type { TokenFormat, TokenPayload } from './token-payload.ts'

const Claims = v.object({
  sub: v.string(),
  iat: v.number(),
  exp: v.number(),
  openstack_methods: v.array(v.string()),
  openstack_audit_ids: v.array(v.string()),
  openstack_system: v.optional(v.literal('all')),
  openstack_domain_id: v.optional(v.string()),
  openstack_project_id: v.optional(v.string()),
  openstack_trust_id: v.optional(v.string()),
  openstack_app_cred_id: v.optional(v.string()),
  openstack_idp_id: v.optional(v.string()),
  openstack_protocol_id: v.optional(v.string()),
  openstack_group_ids: v.optional(v.array(v.object({ id: v.string() }))),
})

/** The jws provider: signed with one key, whose public half is what an operator would copy to the verifiers. */
interface JwsFormat extends TokenFormat {
  /** PEM, `-----BEGIN PUBLIC KEY-----`, P-256. */
  publicKeyPem: string
}

/**
 * Tokens as compact JWS, ES256, with Keystone's claims: no `iss`, no `aud`, no `kid`, absent scopes left out.
 */
export async function createJwsFormat(): Promise<JwsFormat> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    publicKeyPem: await exportSPKI(publicKey),
    seal(payload) {
      return new SignJWT(toClaims(payload)).setProtectedHeader({ alg: 'ES256', typ: 'JWT' }).sign(privateKey)
    },
    async open(token) {
      try {
        // Not jwtVerify: the expiry is judged by the clock given. Padding is let through as Keystone does.
        const verified = await compactVerify(token.replace(/=+$/, ''), publicKey, { algorithms: ['ES256'] })
        return fromClaims(v.parse(Claims, JSON.parse(new TextDecoder().decode(verified.payload))))
      } catch {
        throw invalidToken(`Could not find token: ${token}.`)
      }
    },
  }
}

function toClaims(payload: TokenPayload): Record<string, unknown> {
  const claims = {
    sub: payload.userId,
    iat: payload.issuedAt,
    exp: payload.expiresAt,
    openstack_methods: payload.methods,
    openstack_audit_ids: payload.auditIds,
    openstack_system: payload.system,
    openstack_domain_id: payload.domainId,
    openstack_project_id: payload.projectId,
    openstack_trust_id: payload.trustId,
    openstack_app_cred_id: payload.applicationCredentialId,
    openstack_idp_id: payload.federation?.identityProvider,
    openstack_protocol_id: payload.federation?.protocol,
    openstack_group_ids: payload.federation?.groupIds.map((id) => ({ id })),
  }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

function fromClaims(claims: v.InferOutput<typeof Claims>): TokenPayload {
  return {
    userId: claims.sub,
    methods: claims.openstack_methods,
    auditIds: claims.openstack_audit_ids,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    ...(claims.openstack_project_id !== undefined && { projectId: claims.openstack_project_id }),
    ...(claims.openstack_domain_id !== undefined && { domainId: claims.openstack_domain_id }),
    ...(claims.openstack_system !== undefined && { system: claims.openstack_system }),
    ...(claims.openstack_trust_id !== undefined && { trustId: claims.openstack_trust_id }),
    ...(claims.openstack_app_cred_id !== undefined && { applicationCredentialId: claims.openstack_app_cred_id }),
    ...(claims.openstack_idp_id !== undefined && {
      federation: {
        identityProvider: claims.openstack_idp_id,
        protocol: claims.openstack_protocol_id ?? '',
        groupIds: claims.openstack_group_ids?.map(({ id }) => id) ?? [],
      },
    }),
  }
}
