import { forbidden, invalidToken, KeystoneError } from './errors.ts'
import type { ApplicationCredential, Domain, Project, Revocation, Role, State, Trust, User } from './keystone-state.ts'
import { getApplicationCredential, getDomain, getProject, getTrust, getUser } from './lookup.ts'
import { effectiveRoleIds, rolesOf, trustRoleIds } from './roles.ts'
import type { TokenFormat, TokenPayload } from './token-payload.ts'

/** A token that holds now, with everything it stands for. */
export interface Token {
  id: string
  payload: TokenPayload
  /** Who authenticated; with an impersonating trust this is the trustee, while `actsAs` is the trustor. */
  user: User
  actsAs: User
  project?: Project
  domain?: Domain
  trust?: Trust
  applicationCredential?: ApplicationCredential
  /** Computed now, not when the token was issued. Undefined for an unscoped token. */
  roles?: Role[]
}

/** What validating needs. */
export interface TokenContext {
  state: State
  format: TokenFormat
  /** Milliseconds since the epoch. */
  now: () => number
}

/** The lowest `OpenStack-Identity-Access-Rules` that promises to enforce access rules. */
const ACCESS_RULES_VERSION = 1

/**
 * The token if it is valid now.
 * @throws KeystoneError with `invalidToken` for garbage, an expired or a revoked token, lost roles, or access rules that
 * the asker does not say it enforces; other KeystoneErrors (404, 403) for something that the token stands for and that
 * is gone or disabled. The order is Keystone's: what a token stands for comes before its expiry and revocation.
 */
export async function validateToken(context: TokenContext, id: string, accessRules?: string): Promise<Token> {
  const payload = await context.format.open(id)
  const token = resolveToken(context, id, payload)
  const nowMs = context.now()
  if (nowMs >= payload.expiresAt * 1000 || isRevoked(context.state, payload, token)) throw invalidToken()
  const enforces = accessRules !== undefined && Number(accessRules) >= ACCESS_RULES_VERSION
  if (token.applicationCredential?.accessRules && !enforces) throw invalidToken()
  return token
}

/** What the payload stands for now, whatever its times say. @throws KeystoneError as `validateToken` */
export function resolveToken({ state, now }: TokenContext, id: string, payload: TokenPayload): Token {
  const project = payload.projectId === undefined ? undefined : getProject(state, payload.projectId)
  if (project !== undefined) assertProjectEnabled(state, project)
  const trust = payload.trustId === undefined ? undefined : getTrust(state, payload.trustId, now())
  if (trust !== undefined) assertTrustHolds(state, trust, payload.userId)
  const user = getUser(state, payload.userId)
  assertDomainEnabled(getDomain(state, user.domainId))
  const applicationCredential =
    payload.applicationCredentialId === undefined
      ? undefined
      : getApplicationCredential(state, payload.applicationCredentialId)
  const roles = scopedRoles(state, payload, trust, applicationCredential)
  if (roles?.length === 0) throw invalidToken(`Could not find token: ${id}.`)
  return {
    id,
    payload,
    user,
    actsAs: trust?.impersonation ? getUser(state, trust.trustorId) : user,
    // A domain-scoped token of a disabled domain stays valid for users of other domains (observed).
    ...(payload.domainId !== undefined && { domain: getDomain(state, payload.domainId) }),
    ...(project !== undefined && { project }),
    ...(trust !== undefined && { trust }),
    ...(applicationCredential !== undefined && { applicationCredential }),
    ...(roles !== undefined && { roles }),
  }
}

function assertProjectEnabled(state: State, project: Project): void {
  if (!project.enabled) {
    throw new KeystoneError(404, `Unable to validate token because project ${project.id} is disabled`)
  }
  assertDomainEnabled(getDomain(state, project.domainId))
}

function assertDomainEnabled(domain: Domain): void {
  if (!domain.enabled) {
    throw new KeystoneError(404, `Unable to validate token because domain ${domain.id} is disabled`)
  }
}

function assertTrustHolds(state: State, trust: Trust, userId: string): void {
  if (userId !== trust.trusteeId) throw forbidden()
  const trustor = getUser(state, trust.trustorId)
  if (!getDomain(state, trustor.domainId).enabled) throw invalidToken('Trustor domain is disabled.')
  if (!getDomain(state, getUser(state, trust.trusteeId).domainId).enabled) {
    throw invalidToken('Trustee domain is disabled.')
  }
  if (!trustor.enabled) throw forbidden()
}

function scopedRoles(
  state: State,
  payload: TokenPayload,
  trust: Trust | undefined,
  applicationCredential: ApplicationCredential | undefined,
): Role[] | undefined {
  const { projectId, domainId } = payload
  if (payload.system !== undefined) {
    return rolesOf(state, effectiveRoleIds(state, payload, { target: 'system', targetId: 'all' }))
  }
  if (trust !== undefined) {
    const roleIds = trustRoleIds(state, trust)
    if (roleIds === undefined) throw forbidden()
    return rolesOf(state, roleIds)
  }
  if (domainId !== undefined) {
    return rolesOf(state, effectiveRoleIds(state, payload, { target: 'domains', targetId: domainId }))
  }
  if (projectId === undefined) return undefined
  const held = effectiveRoleIds(state, payload, { target: 'projects', targetId: projectId })
  if (applicationCredential === undefined) return rolesOf(state, held)
  return rolesOf(
    state,
    applicationCredential.roleIds.filter((id) => held.has(id)),
  )
}

function isRevoked(state: State, payload: TokenPayload, { trust }: Token): boolean {
  const users = [payload.userId, trust?.trustorId, trust?.trusteeId]
  return state.revocations.some(
    (event) =>
      payload.issuedAt <= event.issuedBefore &&
      (event.userId === undefined || users.includes(event.userId)) &&
      (event.projectId === undefined || event.projectId === payload.projectId) &&
      (event.trustId === undefined || event.trustId === payload.trustId) &&
      (event.auditId === undefined || event.auditId === payload.auditIds[0]),
  )
}

/** Refuses from now on what matches `event`. */
export function revoke({ state, now }: TokenContext, event: Omit<Revocation, 'issuedBefore'>): void {
  state.revocations.push({ ...event, issuedBefore: Math.floor(now() / 1000) })
}
