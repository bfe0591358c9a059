import type { Identity } from '../keystone/identity.ts'
import type { MappingRule } from './mapping-document.ts'
import type { Naming } from './names.ts'
import { createDomainMatcher, createEntityMatcher, createRoleMatcher } from './selectors.ts'

/** One condition of a rule, prepared. */
export interface Condition {
  readonly name: 'role' | 'project' | 'project-domain' | 'domain' | 'user' | 'group' | 'scope'
  readonly holds: (identity: Identity) => boolean
}

/** A value, or a list of them, as a list; `undefined` when the rule does not ask. */
export function toList<T>(values: T | readonly T[] | undefined): readonly T[] | undefined {
  return values === undefined ? undefined : Array.isArray(values) ? values : [values as T]
}

/** Prepares a rule's conditions, those first that are cheapest to refuse. All must hold. */
export function compileConditions(rule: Omit<MappingRule, 'groups' | 'username'>, naming: Naming): Condition[] {
  const conditions: Condition[] = []
  const add = <T>(name: Condition['name'], values: T | readonly T[] | undefined, prepare: Prepare<T>): void => {
    const wanted = toList(values)
    if (wanted !== undefined) conditions.push({ name, holds: prepare(wanted) })
  }
  add('scope', rule.scope, (scopes) => (identity) => scopes.includes(identity.scope.kind))
  add('role', rule.role, (roles) => {
    const matches = createRoleMatcher(roles)
    return (identity) => identity.roles.some(matches)
  })
  add('project', rule.project, (projects) => createProjectCondition(projects, naming))
  add('project-domain', rule['project-domain'], (domains) => {
    const matches = createDomainMatcher(domains)
    return ({ scope }) => scope.kind === 'project' && matches(scope.domain)
  })
  add('domain', rule.domain, (domains) => {
    const matches = createDomainMatcher(domains)
    return ({ user }) => matches(user.domain)
  })
  add('user', rule.user, (users) => createUserCondition(users, naming, { ofFederated: naming.federatedAsLocal }))
  add('group', rule.group, (groups) => {
    const matches = createEntityMatcher(groups, naming.homeDomain)
    return (identity) => Array.isArray(identity.groups) && identity.groups.some(matches)
  })
  return conditions
}

type Prepare<T> = (wanted: readonly T[]) => Condition['holds']
type Selectors = Parameters<typeof createEntityMatcher>[0]

/** Whether the token is scoped to one of the projects. */
export function createProjectCondition(projects: Selectors, naming: Naming): Condition['holds'] {
  const matches = createEntityMatcher(projects, naming.homeDomain)
  return ({ scope }) =>
    scope.kind === 'project' && matches({ id: scope.id, name: scope.name, domainId: scope.domain.id })
}

/**
 * Whether the token is one of the users'. `ofFederated`: a name matches a federated user too. Keystone does not keep such
 * names unique, so that a name then denies too many users rather than too few.
 */
export function createUserCondition(
  users: Selectors,
  { homeDomain }: Naming,
  { ofFederated }: { readonly ofFederated: boolean },
): Condition['holds'] {
  const matches = createEntityMatcher(users, homeDomain)
  return ({ user, identityProvider }) => {
    const hasName = identityProvider === undefined || ofFederated
    return matches({ id: user.id, name: hasName ? user.name : undefined, domainId: user.domain.id })
  }
}
