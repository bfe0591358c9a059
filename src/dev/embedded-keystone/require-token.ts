import type { Context } from 'hono'
import { forbidden, KeystoneError, unauthorized } from './errors.ts'
import type { IssueContext } from './issue-token.ts'
import type { User } from './keystone-state.ts'
import { type Token, validateToken } from './tokens.ts'

/** What every group of routes gets. */
export interface RouteContext extends IssueContext {
  /** Identity API root, without a trailing slash. */
  url: string
}

/**
 * The token of `X-Auth-Token`. What is no valid token is 401 here; what it stands for and is gone keeps its own status,
 * which is why a token that validates itself is answered 404 for a disabled project and 401 when it was revoked.
 * @throws KeystoneError
 */
export async function callerToken(context: RouteContext, c: Context): Promise<Token> {
  const id = c.req.header('X-Auth-Token')
  if (!id) throw unauthorized()
  try {
    // Keystone enforces access rules on its own API, so here it accepts such tokens.
    return await validateToken(context, id, '1.0')
  } catch (error) {
    if (error instanceof KeystoneError && error.invalidToken) throw unauthorized()
    throw error
  }
}

/** Whether the token has the role `admin`, on whatever scope: Keystone's rule `admin_required`. */
export function isAdmin(token: Token): boolean {
  return hasRole(token, 'admin')
}

/** Whether the token may read anything: an admin, or a reader on the system. */
export function mayReadAll(token: Token): boolean {
  return isAdmin(token) || (token.payload.system !== undefined && hasRole(token, 'reader'))
}

/** Whether the token may read about this user: who may read anything, a reader on the user's domain, the user. */
export function mayReadUser(token: Token, userId: string, user: User | undefined): boolean {
  const domainReader = token.domain !== undefined && token.domain.id === user?.domainId && hasRole(token, 'reader')
  return mayReadAll(token) || domainReader || token.actsAs.id === userId
}

/** Refuses with 403 unless `allowed`; the action is the policy rule that Keystone names. @throws KeystoneError 403 */
export function enforce(allowed: boolean, action: string): void {
  if (!allowed) throw forbidden(`identity:${action}`)
}

function hasRole({ roles }: Token, name: string): boolean {
  return roles?.some((role) => role.name === name) ?? false
}
