import { type AuthRequest, type EntityReference, parseAuthRequest } from './auth-request.ts'
import { type Authenticated, authenticate, findDomain } from './check-credentials.ts'
import { expecting, KeystoneError, unauthorized } from './errors.ts'
import type { Assertion } from './federated-user.ts'
import { newAuditId } from './ids.ts'
import type { Project, State } from './keystone-state.ts'
import { effectiveRoleIds } from './roles.ts'
import type { TokenPayload } from './token-payload.ts'
import { resolveToken, type Token, type TokenContext } from './tokens.ts'

type Scope = Pick<TokenPayload, 'projectId' | 'domainId' | 'system' | 'trustId'>

/** What issuing needs besides what validating does. */
export interface IssueContext extends TokenContext {
  tokenLifetimeSeconds: number
}

/**
 * A new token. `assertion` is what the server in front says about a federated user.
 * @throws KeystoneError 400 (malformed), 401 (anything wrong), 403 (not the trustee), 404
 */
export async function issueToken(
  context: IssueContext,
  body: Record<string, unknown>,
  assertion: Assertion,
): Promise<Token> {
  const request = parseAuthRequest(body)
  const authenticated = await authenticate(context, request, assertion)
  const payload: TokenPayload = {
    userId: authenticated.user.id,
    methods: authenticated.methods,
    auditIds: auditIds(authenticated),
    ...times(context, authenticated),
    ...scopeOf(context, request, authenticated),
    ...(authenticated.applicationCredential && { applicationCredentialId: authenticated.applicationCredential.id }),
    ...(authenticated.federation && { federation: authenticated.federation }),
  }
  const token = resolve(context, payload)
  return { ...token, id: await context.format.seal(payload) }
}

/** As at validation, but "no such token" means here that the user has no role there. */
function resolve(context: IssueContext, payload: TokenPayload): Token {
  try {
    return resolveToken(context, '', payload)
  } catch (error) {
    if (error instanceof KeystoneError && error.invalidToken) throw unauthorized()
    throw error
  }
}

function auditIds({ parent, federation }: Authenticated): string[] {
  // A federated user's chain is lost when the token is rescoped (observed).
  if (federation !== undefined) return [newAuditId()]
  // The last of a chain is its first token: it stays, whatever was made in between.
  return [newAuditId(), ...(parent?.auditIds.slice(-1) ?? [])]
}

function times(context: IssueContext, { parent, applicationCredential }: Authenticated) {
  const issuedAt = Math.floor(context.now() / 1000)
  const expiresAt = parent?.expiresAt ?? issuedAt + context.tokenLifetimeSeconds
  const limit = applicationCredential?.expiresAt ?? Number.POSITIVE_INFINITY
  return { issuedAt, expiresAt: Math.min(expiresAt, limit / 1000) }
}

function scopeOf(context: IssueContext, { scope }: AuthRequest, { user, applicationCredential }: Authenticated): Scope {
  const { state } = context
  if (applicationCredential !== undefined) {
    return applicationCredential.projectId === null ? {} : { projectId: applicationCredential.projectId }
  }
  if (scope === undefined) return defaultScope(state, user.id, user.defaultProjectId)
  if (scope === 'unscoped' || scope.unscoped !== undefined) return {}
  if (scope.system !== undefined) return { system: 'all' }
  if (scope.domain !== undefined) return { domainId: enabledDomainId(state, scope.domain) }
  if (scope.project !== undefined) return { projectId: enabledProject(state, scope.project).id }
  return trustScope(context, scope['OS-TRUST:trust']?.id ?? '')
}

/** The default project when the user has a role there; otherwise the token is unscoped, which is no error. */
function defaultScope(state: State, userId: string, projectId: string | null): Scope {
  if (projectId === null) return {}
  const project = state.projects.get(projectId)
  const usable = project?.enabled === true && state.domains.get(project.domainId)?.enabled === true
  const roles = effectiveRoleIds(state, { userId }, { target: 'projects', targetId: projectId })
  return usable && roles.size > 0 ? { projectId } : {}
}

function trustScope({ state, now }: TokenContext, trustId: string): Scope {
  const trust = state.trusts.get(trustId)
  if (trust === undefined || (trust.expiresAt !== null && now() > trust.expiresAt)) throw unauthorized()
  return { trustId, projectId: enabledProject(state, { id: trust.projectId }).id }
}

function enabledDomainId(state: State, reference: EntityReference): string {
  const domain = findDomain(state, reference)
  if (domain?.enabled !== true) throw unauthorized()
  return domain.id
}

function enabledProject(state: State, reference: EntityReference): Project {
  const project = findProject(state, reference)
  if (project?.enabled !== true || state.domains.get(project.domainId)?.enabled !== true) throw unauthorized()
  return project
}

function findProject(state: State, reference: EntityReference): Project | undefined {
  if (reference.id !== undefined) return state.projects.get(reference.id)
  if (reference.domain === undefined) throw expecting('domain', 'project')
  const domain = findDomain(state, reference.domain)
  return [...state.projects.values()].find(({ name, domainId }) => name === reference.name && domainId === domain?.id)
}
