import type { State, User } from './keystone-state.ts'
import { getDomain } from './lookup.ts'
import { roleRecord } from './resource-json.ts'
import { formatTime } from './timestamps.ts'
import type { Token } from './tokens.ts'

/** How a token is shown. */
interface TokenBodyOptions {
  /** Identity API root, the one endpoint of the catalog. */
  url: string
  /** Only scoped tokens have one. */
  withCatalog: boolean
  /** Replaces the token's own expiry as text. */
  expiresAt?: string
}

/** The body of `GET` and `POST /v3/auth/tokens`. */
export function tokenBody(state: State, token: Token, options: TokenBodyOptions): { token: Record<string, unknown> } {
  const { payload, applicationCredential } = token
  return {
    token: {
      methods: payload.methods,
      user: userOf(state, token),
      audit_ids: payload.auditIds,
      expires_at: options.expiresAt ?? formatTime(payload.expiresAt),
      issued_at: formatTime(payload.issuedAt),
      ...scope(state, token),
      ...(token.roles !== undefined && options.withCatalog && { catalog: catalog(state, options.url) }),
      ...(applicationCredential !== undefined && {
        application_credential: {
          id: applicationCredential.id,
          name: applicationCredential.name,
          restricted: applicationCredential.unrestricted !== true,
          ...(applicationCredential.accessRules !== null && { access_rules: applicationCredential.accessRules }),
        },
      }),
    },
  }
}

function userOf(state: State, { actsAs, payload: { federation } }: Token) {
  if (federation === undefined) return { ...named(state, actsAs), password_expires_at: null }
  const groups = federation.groupIds.map((id) => ({ id }))
  const from = { identity_provider: { id: federation.identityProvider }, protocol: { id: federation.protocol } }
  return { ...named(state, actsAs), 'OS-FEDERATION': { groups, ...from } }
}

function scope(state: State, token: Token): Record<string, unknown> {
  const roles = token.roles?.map(({ id, name }) => ({ id, name }))
  if (token.payload.system !== undefined) return { roles, system: { all: true } }
  if (token.domain !== undefined) return { domain: { id: token.domain.id, name: token.domain.name }, roles }
  if (token.project === undefined) return {}
  const project = named(state, token.project)
  if (token.trust === undefined) return { project, is_domain: false, roles }
  const { id, trustorId, trusteeId, impersonation } = token.trust
  return {
    'OS-TRUST:trust': { id, trustor_user: { id: trustorId }, trustee_user: { id: trusteeId }, impersonation },
    project,
    // The one scope whose roles come as whole records (observed).
    roles: token.roles?.map(roleRecord),
  }
}

function named(state: State, { id, name, domainId }: Pick<User, 'id' | 'name' | 'domainId'>) {
  const domain = getDomain(state, domainId)
  return { domain: { id: domain.id, name: domain.name }, id, name }
}

function catalog({ catalog: { serviceId, endpointId } }: State, url: string): unknown[] {
  const endpoint = { id: endpointId, interface: 'public', region_id: 'RegionOne', url, region: 'RegionOne' }
  return [{ endpoints: [endpoint], id: serviceId, type: 'identity', name: 'keystone' }]
}
