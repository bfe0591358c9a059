import type { UserInfo } from '../k8s/token-review.ts'
import { err, ok } from '../result.ts'
import type { Identity } from './identity.ts'
import type { Mapping } from './mapping.ts'
import { fold, hasHiddenCharacter, qualifyName, readsAsId, readsAsSystemName } from './names.ts'

/**
 * The mapping of an empty document `{}`: what k8s-keystone-auth answers for users of the home domain; names of other
 * domains qualified by the domain's id; project scope only; nothing from Keystone passing as something else.
 */
export function createDefaultMapping(homeDomain: string): Mapping {
  return {
    digest: `default:${homeDomain}`,
    readsGroups: (identity) => identity.scope.kind === 'project',
    toUser(identity) {
      if (identity.scope.kind !== 'project') return err({ reason: 'not_allowed', by: 'scope' })
      const username = toUsername(identity, homeDomain)
      if (username === undefined) return err({ reason: 'reserved_name' })
      const { groups, leftOut } = toGroups(identity, homeDomain)
      return ok({ user: { username, uid: identity.user.id, groups, extra: toExtra(identity) }, leftOut })
    },
  }
}

function toUsername({ user }: Identity, homeDomain: string): string | undefined {
  const name = qualifyName(user.name, user.domain.id, homeDomain)
  return name === undefined || hasHiddenCharacter(name) || readsAsSystemName(name) ? undefined : name
}

/** The names of the user's Keystone groups and the project's id, sorted. A group known by its id alone names nothing. */
function toGroups(identity: Identity, homeDomain: string): { groups: string[]; leftOut: number } {
  const groups = new Set<string>()
  let leftOut = 0
  const add = (name: string | undefined): void => {
    if (name === undefined) leftOut += 1
    else groups.add(name)
  }
  if (identity.scope.kind === 'project') add(readsAsId(identity.scope.id) ? identity.scope.id : undefined)
  for (const group of Array.isArray(identity.groups) ? identity.groups : []) {
    if (group.name !== undefined) add(toGroupName(group.name, group.domainId, homeDomain))
  }
  return { groups: [...groups].sort(), leftOut }
}

function toGroupName(name: string, domainId: string | undefined, homeDomain: string): string | undefined {
  const qualified = domainId === undefined ? undefined : qualifyName(name, domainId, homeDomain)
  if (qualified === undefined || hasHiddenCharacter(qualified) || readsAsSystemName(qualified)) return undefined
  return readsAsId(fold(qualified)) ? undefined : qualified
}

const IDENTITY = 'alpha.kubernetes.io/identity'
const KEYSTONE = 'keystone.openstack.org'

/**
 * What authorizers read: k8s-keystone-auth's own keys, then this project's. Keys are lower-case because Kubernetes
 * loses upper case in impersonation; values are never empty strings; a key without a value is left out.
 */
function toExtra(identity: Identity): UserInfo['extra'] {
  const { user, scope } = identity
  const project = scope.kind === 'project' ? scope : undefined
  const extra: Record<string, string[]> = {}
  const put = (key: string, values: readonly (string | undefined)[]): void => {
    const present = values.filter((value): value is string => value !== undefined && value !== '')
    if (present.length > 0) extra[key] = present
  }
  put(`${IDENTITY}/project/id`, [project?.id])
  put(`${IDENTITY}/project/name`, [project?.name])
  put(`${IDENTITY}/roles`, [...new Set(identity.roles.map((role) => role.name))].sort())
  put(`${IDENTITY}/user/domain/id`, [user.domain.id])
  put(`${IDENTITY}/user/domain/name`, [user.domain.name])
  put(`${KEYSTONE}/project-domain-id`, [project?.domain.id])
  put(`${KEYSTONE}/scope`, [scope.kind])
  put(`${KEYSTONE}/methods`, [...identity.methods].sort())
  put(`${KEYSTONE}/audit-ids`, identity.auditIds)
  put(`${KEYSTONE}/application-credential-id`, [identity.applicationCredentialId])
  put(`${KEYSTONE}/trust-id`, [identity.trustId])
  put('keystone-edge-auth/authenticator', ['keystone'])
  return extra
}
