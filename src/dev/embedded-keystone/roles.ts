import type { Grant, Role, State, Trust } from './keystone-state.ts'
import type { TokenPayload } from './token-payload.ts'

/** What a token can be scoped to, as a grant names it. */
type GrantTarget = Pick<Grant, 'target' | 'targetId'>

/** The roles and all that they imply. */
function withImplied(state: State, roleIds: Iterable<string>): Set<string> {
  const all = new Set(roleIds)
  for (const id of all) {
    // A Set's iteration reaches what is added during it, so chains are followed to their end.
    for (const implied of state.impliedRoles.get(id) ?? []) all.add(implied)
  }
  return all
}

/**
 * Ids of the roles that the user has there now: own grants, those of the user's groups, and what they imply. A federated
 * token's groups count as well.
 */
export function effectiveRoleIds(
  state: State,
  { userId, federation }: Pick<TokenPayload, 'userId' | 'federation'>,
  { target, targetId }: GrantTarget,
): Set<string> {
  const direct = state.grants.filter((grant) => {
    if (grant.target !== target || grant.targetId !== targetId) return false
    if (grant.actor === 'users') return grant.actorId === userId
    if (federation?.groupIds.includes(grant.actorId)) return true
    return state.groups.get(grant.actorId)?.members.has(userId) ?? false
  })
  return withImplied(
    state,
    direct.map((grant) => grant.roleId),
  )
}

/** Ids of the roles that a trust delegates, or undefined when the trustor has lost one of them. */
export function trustRoleIds(state: State, trust: Trust): Set<string> | undefined {
  const delegated = withImplied(state, trust.roleIds)
  const held = effectiveRoleIds(state, { userId: trust.trustorId }, { target: 'projects', targetId: trust.projectId })
  return [...delegated].every((id) => held.has(id)) ? delegated : undefined
}

/** The roles themselves; an id that is gone is left out. */
export function rolesOf(state: State, roleIds: Iterable<string>): Role[] {
  return [...roleIds].flatMap((id) => state.roles.get(id) ?? [])
}
