import { isKeystoneId } from '../keystone/ids.ts'
import type { Warning } from '../lib/fault.ts'
import type { Principal } from './principal.ts'
import type { Condition, Form } from './rule.ts'

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

/** Whether `users` matches nobody, or more users than its author may think, in the words for the author. */
export function findUsersWarnings({ roles = [], projects }: Users, form: Form, path: string): Warning[] {
  const warn = (message: string): Warning[] => [{ path: `${path}.users`, message }]
  if (projects !== undefined) return projects.length > 0 ? [] : warn('matches nobody: projects is empty')
  if (form === 'list') return warn('matches nobody: the list form needs projects')
  if (roles.length === 0) return warn('matches nobody: there are neither roles nor projects')
  return warn('matches these roles in every project: there are no projects')
}

/** Prepares `users`: all of the roles, and one of the projects, which the object form may leave out beside roles. */
export function compileUsers({ roles = [], projects }: Users, form: Form): Condition<Principal>[] {
  const inEvery = ({ hasProject }: Principal): boolean => form === 'object' && roles.length > 0 && hasProject
  return [
    { name: 'users.roles', holds: ({ roles: held }) => roles.every((role) => held.has(role)) },
    { name: 'users.projects', holds: projects === undefined ? inEvery : createProjectMatcher(projects) },
  ]
}
