import type { Identity } from '../keystone/identity.ts'
import { createProjectCondition, createUserCondition } from './conditions.ts'
import type { MappingRefusal } from './mapping.ts'
import type { MappingDocument } from './mapping-document.ts'
import type { Naming } from './names.ts'
import { createDomainMatcher } from './selectors.ts'

/** Says why an identity may not log in, if so. */
export type Admit = (identity: Identity) => MappingRefusal | undefined

/** Prepares `deny`, which wins over everything, and `allow`, of which only what is given restricts. */
export function compileAdmission({ allow = {}, deny = {} }: MappingDocument, naming: Naming): Admit {
  const deniedUser = createUserCondition(deny.users ?? [], naming, { ofFederated: true })
  const deniedAuditIds = new Set(deny['audit-ids'])
  const deniedCredentials = new Set(deny['application-credentials'])
  const scopes = new Set(allow.scopes ?? ['project'])
  const isDomain = allow.domains && createDomainMatcher(allow.domains)
  const isProject = allow.projects && createProjectCondition(allow.projects, naming)
  return (identity) => {
    const credential = identity.applicationCredentialId
    if (deniedUser(identity)) return { reason: 'denied', by: 'user' }
    if (identity.auditIds.some((id) => deniedAuditIds.has(id))) return { reason: 'denied', by: 'audit_id' }
    if (credential !== undefined && deniedCredentials.has(credential)) {
      return { reason: 'denied', by: 'application_credential' }
    }
    if (!scopes.has(identity.scope.kind)) return { reason: 'not_allowed', by: 'scope' }
    if (isDomain && !isDomain(identity.user.domain)) return { reason: 'not_allowed', by: 'domain' }
    if (isProject && !isProject(identity)) return { reason: 'not_allowed', by: 'project' }
    return undefined
  }
}
