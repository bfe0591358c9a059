import type { AuthRequest, EntityReference } from './auth-request.ts'
import { expecting, forbidden, unauthorized } from './errors.ts'
import { type Assertion, federatedUser } from './federated-user.ts'
import type { ApplicationCredential, Domain, State, User } from './keystone-state.ts'
import { getApplicationCredential } from './lookup.ts'
import type { Federation, TokenPayload } from './token-payload.ts'
import { type TokenContext, validateToken } from './tokens.ts'

/** Who asks for a token, and by what. */
export interface Authenticated {
  user: User
  methods: string[]
  applicationCredential?: ApplicationCredential
  /** The token that this one is made from: its chain of audit ids and its expiry go on. */
  parent?: TokenPayload
  federation?: Federation
}

/** Checks every method that the request names; all must mean the same user. @throws KeystoneError 400, 401, 403, 404 */
export async function authenticate(
  context: TokenContext,
  request: AuthRequest,
  assertion: Assertion,
): Promise<Authenticated> {
  let result: Authenticated | undefined
  for (const method of request.identity.methods) {
    const next = await byMethod(context, method, request, assertion)
    if (result !== undefined && result.user !== next.user) throw unauthorized()
    result = { ...result, ...next, methods: [...new Set([...(result?.methods ?? []), ...next.methods])] }
  }
  if (result === undefined) throw unauthorized()
  return result
}

async function byMethod(
  context: TokenContext,
  method: string,
  request: AuthRequest,
  assertion: Assertion,
): Promise<Authenticated> {
  const { password, token, application_credential: credential } = request.identity
  if (method === 'password' && password !== undefined) return byPassword(context.state, password.user)
  if (method === 'token' && token !== undefined) return byToken(context, token.id)
  if (method === 'application_credential' && credential !== undefined) {
    // Any scope is one too many, "unscoped" included: the credential carries its own.
    if (request.scope !== undefined) {
      throw unauthorized(
        'Error authenticating with application credential: Application credentials cannot request a scope.',
      )
    }
    return byApplicationCredential(context, credential)
  }
  const mapped = method === 'openid' || method === 'mapped' ? request.identity[method] : undefined
  if (mapped === undefined) throw unauthorized()
  const { user, federation } = federatedUser(context, mapped, assertion)
  assertMayLogIn(context.state, user)
  return { user, methods: [method], federation }
}

function byPassword(state: State, reference: EntityReference & { password: string }): Authenticated {
  const user = findUser(state, reference)
  if (user?.password == null || user.password !== reference.password) throw unauthorized()
  assertMayLogIn(state, user)
  return { user, methods: ['password'] }
}

async function byToken(context: TokenContext, id: string): Promise<Authenticated> {
  const { payload, user, trust } = await validateToken(context, id, '1.0')
  if (trust !== undefined) {
    throw forbidden('Using trust-scoped token to create another token. Create a new trust-scoped token instead')
  }
  if (payload.applicationCredentialId !== undefined) {
    throw forbidden('Using a delegated token to create another token is not allowed.')
  }
  const methods = [...payload.methods, 'token']
  return { user, methods, parent: payload, ...(payload.federation && { federation: payload.federation }) }
}

function byApplicationCredential(
  context: TokenContext,
  given: NonNullable<AuthRequest['identity']['application_credential']>,
): Authenticated {
  const { state, now } = context
  const credential = given.id === undefined ? findByName(state, given) : getApplicationCredential(state, given.id)
  const user = state.users.get(credential.userId)
  if (user === undefined || credential.secret !== given.secret) throw unauthorized()
  if (credential.expiresAt !== null && now() >= credential.expiresAt) throw unauthorized()
  assertMayLogIn(state, user)
  return { user, methods: ['application_credential'], applicationCredential: credential }
}

function findByName(state: State, given: { name?: string | undefined; user?: EntityReference | undefined }) {
  const user = given.user && findUser(state, given.user)
  const credential = [...state.applicationCredentials.values()].find(
    ({ name, userId }) => name === given.name && userId === user?.id,
  )
  if (credential === undefined) throw unauthorized()
  return credential
}

function assertMayLogIn(state: State, user: User): void {
  if (!user.enabled || state.domains.get(user.domainId)?.enabled !== true) throw unauthorized()
}

function findUser(state: State, reference: EntityReference): User | undefined {
  if (reference.id !== undefined) return state.users.get(reference.id)
  if (reference.domain === undefined) throw expecting('domain', 'user')
  const domain = findDomain(state, reference.domain)
  return [...state.users.values()].find(({ name, domainId }) => name === reference.name && domainId === domain?.id)
}

/** The domain with this id, or else the one with this name. */
export function findDomain(state: State, reference: EntityReference): Domain | undefined {
  if (reference.id !== undefined) return state.domains.get(reference.id)
  return [...state.domains.values()].find(({ name }) => name === reference.name)
}
