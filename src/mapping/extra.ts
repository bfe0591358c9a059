import { EXTRA } from '../k8s/keystone-extra.ts'
import type { UserInfo } from '../k8s/token-review.ts'
import type { Identity } from '../keystone/identity.ts'

/**
 * The `extra` of a user. With `audit` it holds the keys that differ from token to token as well, each of which costs
 * kube-apiserver's authorization cache an entry. A value is never empty, and a key without values is left out.
 */
export function toExtra(identity: Identity, audit: boolean): UserInfo['extra'] {
  const { user, scope } = identity
  const project = scope.kind === 'project' ? scope : undefined
  const extra: Record<string, string[]> = {}
  const put = (key: string, values: readonly (string | undefined)[]): void => {
    const present = values.filter((value): value is string => value !== undefined && value !== '')
    if (present.length > 0) extra[key] = present
  }
  put(EXTRA.projectId, [project?.id])
  put(EXTRA.projectName, [project?.name])
  put(EXTRA.roles, [...new Set(identity.roles.map((role) => role.name))].sort())
  put(EXTRA.userDomainId, [user.domain.id])
  put(EXTRA.userDomainName, [user.domain.name])
  put(EXTRA.projectDomainId, [project?.domain.id])
  put(EXTRA.scope, [scope.kind])
  if (audit) {
    put(EXTRA.methods, [...identity.methods].sort())
    put(EXTRA.auditIds, identity.auditIds)
    put(EXTRA.applicationCredentialId, [identity.applicationCredentialId])
    put(EXTRA.trustId, [identity.trustId])
  }
  put(EXTRA.authenticator, ['keystone'])
  return extra
}
