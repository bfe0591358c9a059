import { isKeystoneId } from '../keystone/ids.ts'
import type { Warning } from '../lib/fault.ts'
import type { Principal } from './principal.ts'
import type { Condition } from './rule.ts'

/** How a policy names a project: an id, a name in the home domain, or (object form) a name in another domain. */
export type ProjectSelector = string | { readonly name: string; readonly domain: string }

/**
 * Matches the principal's project. A value that reads as an id is compared with ids only, any other with names only: a
 * tenant may name a project with somebody else's id.
 */
export function createProjectMatcher(projects: readonly ProjectSelector[]): (principal: Principal) => boolean {
  const ids = projects.filter((project): project is string => typeof project === 'string' && isKeystoneId(project))
  const names = projects.filter((project): project is string => typeof project === 'string' && !isKeystoneId(project))
  const qualified = projects.filter((project) => typeof project !== 'string')
  return ({ projectIds, projectNames, qualifiedProject }) =>
    ids.some((id) => projectIds.has(id)) ||
    names.some((name) => projectNames.has(name)) ||
    qualified.some(({ name, domain }) => qualifiedProject?.name === name && qualifiedProject.domain === domain)
}

/** The conditions of `users` in version 2. */
export interface Users {
  readonly roles?: readonly string[] | undefined
  readonly projects?: readonly ProjectSelector[] | undefined
}

/** Whether `users` can match nobody, in the words for its author. */
export function findUsersWarnings({ roles = [], projects }: Users, projectsOptional: boolean, path: string): Warning[] {
  const inert = (message: string): Warning[] => [{ path: `${path}.users`, message: `matches nobody: ${message}` }]
  if (projects?.length === 0) return inert('projects is empty')
  if (projects !== undefined) return []
  if (!projectsOptional) return inert('the list form needs projects')
  return roles.length === 0 ? inert('there are neither roles nor projects') : []
}

/** Prepares `users`: all of the roles, and one of the projects; `projectsOptional` in the object form. */
export function compileUsers(users: Users, projectsOptional: boolean): Condition<Principal>[] {
  const conditions: Condition<Principal>[] = []
  const roles = users.roles ?? []
  if (roles.length > 0)
    conditions.push({ name: 'users.roles', holds: ({ roles: held }) => roles.every((role) => held.has(role)) })
  if (users.projects !== undefined)
    conditions.push({ name: 'users.projects', holds: createProjectMatcher(users.projects) })
  else if (projectsOptional && roles.length > 0)
    conditions.push({ name: 'users.projects', holds: ({ hasProject }) => hasProject })
  else conditions.push({ name: 'users.projects', holds: () => false })
  return conditions
}
