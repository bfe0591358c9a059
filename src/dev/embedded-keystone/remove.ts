import type { Domain, State } from './keystone-state.ts'
import { revoke, type TokenContext } from './tokens.ts'

// What goes with an entity when it is deleted.

/** A user, with grants, memberships, application credentials and trusts. */
export function removeUser(context: TokenContext, id: string): void {
  const { state } = context
  state.users.delete(id)
  for (const group of state.groups.values()) {
    group.members.delete(id)
    group.expiringMembers.delete(id)
  }
  removeGrants(state, id)
  removeWhere(state.applicationCredentials, ({ userId }) => userId === id)
  removeWhere(state.trusts, ({ trustorId, trusteeId }) => trustorId === id || trusteeId === id)
  revoke(context, { userId: id })
}

/** A project, with grants on it, application credentials for it and trusts over it. */
export function removeProject(context: TokenContext, id: string): void {
  const { state } = context
  state.projects.delete(id)
  removeGrants(state, id)
  removeWhere(state.applicationCredentials, ({ projectId }) => projectId === id)
  removeWhere(state.trusts, ({ projectId }) => projectId === id)
  revoke(context, { projectId: id })
}

/** A group, with its grants. */
export function removeGroup(state: State, id: string): void {
  state.groups.delete(id)
  removeGrants(state, id)
}

/** A role, with every grant of it. */
export function removeRole(state: State, id: string): void {
  state.roles.delete(id)
  removeGrants(state, id)
}

/** A domain, with all that is in it. */
export function removeDomain(context: TokenContext, { id }: Domain): void {
  const { state } = context
  const inside = <T extends { domainId: string }>(entity: T) => entity.domainId === id
  for (const user of [...state.users.values()].filter(inside)) removeUser(context, user.id)
  for (const group of [...state.groups.values()].filter(inside)) removeGroup(state, group.id)
  for (const project of [...state.projects.values()].filter(inside)) removeProject(context, project.id)
  state.domains.delete(id)
  removeGrants(state, id)
}

function removeGrants(state: State, id: string): void {
  state.grants = state.grants.filter(({ actorId, targetId, roleId }) => ![actorId, targetId, roleId].includes(id))
}

function removeWhere<T>(map: Map<string, T>, matches: (value: T) => boolean): void {
  for (const [id, value] of map) {
    if (matches(value)) map.delete(id)
  }
}
