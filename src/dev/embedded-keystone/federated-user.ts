import type { Context } from 'hono'
import { forbidden, notFound, unauthorized } from './errors.ts'
import { newId } from './ids.ts'
import type { IdentityProvider, MappingRule, State, User } from './keystone-state.ts'
import { getIdentityProvider } from './lookup.ts'
import type { Federation } from './token-payload.ts'
import type { TokenContext } from './tokens.ts'

/** What the server in front of Keystone says about a user: variables such as `HTTP_OIDC_SUB`. */
export type Assertion = Readonly<Record<string, string>>

/** As `[federation] remote_id_attribute`. */
const REMOTE_ID = 'HTTP_OIDC_ISS'

/**
 * The assertion of a request: its headers `OIDC-…` as a WSGI server names them. It is read on every path, as Keystone reads it:
 * whoever stands in front must take such headers away.
 */
export function assertionOf(c: Context): Assertion {
  const variables = Object.entries(c.req.header()).map(
    ([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value] as const,
  )
  return Object.fromEntries(variables.filter(([name]) => name.startsWith('HTTP_OIDC_')))
}

/**
 * The user whom the assertion means, made at the first login, and what the mapping gives.
 * @throws KeystoneError 401 (no assertion, or none that the mapping takes), 403 (another issuer, or disabled), 404
 */
export function federatedUser(
  context: TokenContext,
  asked: { identity_provider: string; protocol: string },
  assertion: Assertion,
): { user: User; federation: Federation } {
  const { state } = context
  const provider = getIdentityProvider(state, asked.identity_provider)
  if (!provider.enabled) throw forbidden()
  const mappingId = provider.protocols.get(asked.protocol)
  if (mappingId === undefined) throw notFound('federated protocol', asked.protocol)
  assertIssuer(provider, assertion)
  const mapped = applyRules(state.mappings.get(mappingId) ?? [], assertion)
  const groupIds = mapped.groupIds.filter((id) => state.groups.has(id))
  const user = shadowUser(state, provider, asked.protocol, mapped)
  const end = context.now() + provider.authorizationTtl * 60_000
  if (provider.authorizationTtl > 0) {
    for (const id of groupIds) state.groups.get(id)?.expiringMembers.set(user.id, end)
  }
  return { user, federation: { identityProvider: provider.id, protocol: asked.protocol, groupIds } }
}

function assertIssuer({ remoteIds }: IdentityProvider, assertion: Assertion): void {
  if (remoteIds.length === 0) return
  const issuer = assertion[REMOTE_ID]
  if (issuer === undefined) throw unauthorized()
  if (!remoteIds.includes(issuer)) throw forbidden()
}

function applyRules(rules: MappingRule[], assertion: Assertion) {
  const matching = rules.filter(({ remote }) => remote.every((name) => assertion[name]))
  // The first rule that names a user wins.
  const rule = matching.find(({ user }) => user !== undefined)
  const fill = (template: string | undefined) =>
    template?.replace(/\{(\d+)\}/g, (_, index) => assertion[rule?.remote[Number(index)] ?? ''] ?? '')
  const [id, name] = [fill(rule?.user?.id), fill(rule?.user?.name)]
  const [uniqueId, displayName] = [id ?? name, name ?? id]
  if (uniqueId === undefined || displayName === undefined) throw unauthorized()
  return { uniqueId, displayName, groupIds: [...new Set(matching.flatMap(({ groupIds }) => groupIds))] }
}

function shadowUser(
  state: State,
  { id: identityProvider, domainId }: IdentityProvider,
  protocol: string,
  { uniqueId, displayName }: { uniqueId: string; displayName: string },
): User {
  const known = [...state.users.values()].find(
    ({ federated }) =>
      federated?.identityProvider === identityProvider &&
      federated.protocol === protocol &&
      federated.uniqueId === uniqueId,
  )
  if (known !== undefined) return Object.assign(known, { name: displayName })
  const user: User = {
    // Ids of users who are not local have 64 digits.
    id: newId() + newId(),
    name: displayName,
    domainId,
    enabled: true,
    password: null,
    defaultProjectId: null,
    email: null,
    federated: { identityProvider, protocol, uniqueId },
  }
  state.users.set(user.id, user)
  return user
}
