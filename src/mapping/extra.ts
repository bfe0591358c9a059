import type { UserInfo } from '../k8s/token-review.ts'
import type { Identity } from '../keystone/identity.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'
const KEYSTONE = 'keystone.openstack.org'

/**
 * What authorizers read: k8s-keystone-auth's own keys, then this project's; with `audit` those that differ from token
 * to token as well, each of which costs kube-apiserver's authorization cache an entry. Keys are lower-case because
 * Kubernetes loses upper case in impersonation; values are never empty; a key without a value is left out.
 */
export function toExtra(identity: Identity, audit: boolean): UserInfo['extra'] {
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
  if (audit) {
    put(`${KEYSTONE}/methods`, [...identity.methods].sort())
    put(`${KEYSTONE}/audit-ids`, identity.auditIds)
    put(`${KEYSTONE}/application-credential-id`, [identity.applicationCredentialId])
    put(`${KEYSTONE}/trust-id`, [identity.trustId])
  }
  put('keystone-edge-auth/authenticator', ['keystone'])
  return extra
}
