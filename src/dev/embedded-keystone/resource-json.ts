import type { ApplicationCredential, Domain, Group, Project, Role, State, Trust, User } from './keystone-state.ts'
import { rolesOf } from './roles.ts'
import { formatLocalTime, formatTime } from './timestamps.ts'

// How the API shows each entity. `url` is the Identity API root, for links.

/** A domain. */
export function domainBody({ id, name, description, enabled }: Domain, url: string) {
  return { id, name, description, enabled, tags: [], options: {}, links: { self: `${url}/domains/${id}` } }
}

/** A project. */
export function projectBody({ id, name, domainId, description, enabled }: Project, url: string) {
  return {
    id,
    name,
    domain_id: domainId,
    description,
    enabled,
    parent_id: domainId,
    is_domain: false,
    tags: [],
    options: {},
    links: { self: `${url}/projects/${id}` },
  }
}

/** A user, without the password. */
export function userBody({ id, name, domainId, enabled, defaultProjectId, email }: User, url: string) {
  return {
    ...(email !== null && { email }),
    id,
    name,
    domain_id: domainId,
    enabled,
    ...(defaultProjectId !== null && { default_project_id: defaultProjectId }),
    password_expires_at: null,
    options: {},
    links: { self: `${url}/users/${id}` },
  }
}

/** A group, without its members. */
export function groupBody({ id, name, domainId, description }: Group, url: string) {
  return { id, name, domain_id: domainId, description, links: { self: `${url}/groups/${id}` } }
}

/** A group in the list of a user's groups. */
export function userGroupBody(
  { id, name, domainId, description, expiringMembers }: Group,
  userId: string,
  url: string,
) {
  const links = { self: `${url}/groups/${id}` }
  const end = expiringMembers.get(userId)
  const membership_expires_at = end === undefined ? null : formatLocalTime(end)
  return { id, name, domain_id: domainId, description, membership_expires_at, links }
}

/** A role without links, as it stands inside other entities. */
export function roleRecord({ id, name, description, immutable }: Role) {
  return { id, name, domain_id: null, description, options: immutable ? { immutable: true } : {} }
}

/** A role. */
export function roleBody(role: Role, url: string) {
  return { ...roleRecord(role), links: { self: `${url}/roles/${role.id}` } }
}

/** An application credential, without its secret. */
export function applicationCredentialBody(state: State, credential: ApplicationCredential, url: string) {
  const { id, name, description, userId, projectId, expiresAt, unrestricted, roleIds, accessRules } = credential
  return {
    id,
    name,
    description,
    user_id: userId,
    project_id: projectId,
    system: null,
    expires_at: expiresAt === null ? null : formatLocalTime(expiresAt),
    unrestricted,
    roles: rolesOf(state, roleIds).map(roleRecord),
    ...(accessRules !== null && { access_rules: accessRules }),
    // Keystone's own link lacks the user, and leads nowhere (observed).
    links: { self: `${url}/application_credentials/${id}` },
  }
}

/** A trust. */
export function trustBody(state: State, trust: Trust, url: string) {
  const { id, trustorId, trusteeId, projectId, impersonation, expiresAt, roleIds } = trust
  return {
    roles: rolesOf(state, roleIds).map((role) => roleBody(role, url)),
    id,
    trustor_user_id: trustorId,
    trustee_user_id: trusteeId,
    project_id: projectId,
    impersonation,
    expires_at: expiresAt === null ? null : formatTime(Math.floor(expiresAt / 1000)),
    remaining_uses: null,
    deleted_at: null,
    redelegated_trust_id: null,
    redelegation_count: 0,
    roles_links: { self: `${url}/${id}/roles`, next: null, previous: null },
    links: { self: `${url}/OS-TRUST/trusts/${id}` },
  }
}
