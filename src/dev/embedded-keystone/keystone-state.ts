import { newId } from './ids.ts'

/** A domain; the one with the id `default` always exists. */
export interface Domain {
  id: string
  name: string
  description: string
  enabled: boolean
}

/** A project. Names are unique in a domain only, and may look like anything, an id included. */
export interface Project {
  id: string
  name: string
  domainId: string
  description: string
  enabled: boolean
}

/** A user, local or federated. The password is kept as it is: nothing here outlives the process. */
export interface User {
  id: string
  name: string
  domainId: string
  enabled: boolean
  password: string | null
  defaultProjectId: string | null
  email: string | null
  /** Which user of which identity provider this is. */
  federated?: { identityProvider: string; protocol: string; uniqueId: string }
}

/** A group and the ids of its users. */
export interface Group {
  id: string
  name: string
  domainId: string
  description: string
  members: Set<string>
  /** Ids of federated users whom a mapping put here, with the end of it in milliseconds. */
  expiringMembers: Map<string, number>
}

/** A role. Immutable ones (those of the bootstrap) can be neither renamed nor deleted. */
export interface Role {
  id: string
  name: string
  description: string | null
  immutable: boolean
}

/** Who holds a grant, and on what. `targetId` of `system` is `all`. */
export interface Grant {
  actor: 'users' | 'groups'
  actorId: string
  target: 'projects' | 'domains' | 'system'
  targetId: string
  roleId: string
}

/** One request that an application credential is limited to. */
interface AccessRule {
  id: string
  service: string
  path: string
  method: string
}

/** An application credential. `expiresAt` in milliseconds. */
export interface ApplicationCredential {
  id: string
  name: string
  description: string | null
  secret: string
  userId: string
  projectId: string | null
  roleIds: string[]
  expiresAt: number | null
  unrestricted: boolean | null
  accessRules: AccessRule[] | null
}

/** A trust: the trustee may act on the trustor's project with these roles. `expiresAt` in milliseconds. */
export interface Trust {
  id: string
  trustorId: string
  trusteeId: string
  projectId: string
  impersonation: boolean
  roleIds: string[]
  expiresAt: number | null
}

/** Who vouches for federated users, and by which mapping for each protocol (ids). `authorizationTtl` in minutes. */
export interface IdentityProvider {
  id: string
  domainId: string
  enabled: boolean
  remoteIds: string[]
  authorizationTtl: number
  protocols: Map<string, string>
}

/** One rule: if the assertion has all of `remote`, then this user and these groups (ids), with `{0}` for the first of them. */
export interface MappingRule {
  remote: string[]
  user?: { id?: string; name?: string }
  groupIds: string[]
}

/**
 * Every token that matches the given id and was issued in or before this second is refused. Keystone compares whole
 * seconds, so a token issued within the second of the event is refused too, even when it came after it.
 */
export interface Revocation {
  issuedBefore: number
  userId?: string
  projectId?: string
  trustId?: string
  auditId?: string
}

/** All that the embedded Keystone knows. */
export interface State {
  domains: Map<string, Domain>
  projects: Map<string, Project>
  users: Map<string, User>
  groups: Map<string, Group>
  roles: Map<string, Role>
  /** Role id to the ids of the roles that it implies directly. */
  impliedRoles: Map<string, string[]>
  grants: Grant[]
  applicationCredentials: Map<string, ApplicationCredential>
  trusts: Map<string, Trust>
  identityProviders: Map<string, IdentityProvider>
  mappings: Map<string, MappingRule[]>
  revocations: Revocation[]
  /** Ids in the service catalog. */
  catalog: { serviceId: string; endpointId: string }
}

function emptyState(): State {
  return {
    domains: new Map(),
    projects: new Map(),
    users: new Map(),
    groups: new Map(),
    roles: new Map(),
    impliedRoles: new Map(),
    grants: [],
    applicationCredentials: new Map(),
    trusts: new Map(),
    identityProviders: new Map(),
    mappings: new Map(),
    revocations: [],
    catalog: { serviceId: newId(), endpointId: newId() },
  }
}

function addBootstrapRole(state: State, name: string): string {
  const id = newId()
  state.roles.set(id, { id, name, description: null, immutable: true })
  return id
}

/** What `keystone-manage bootstrap` (22.0) leaves: one domain, one project, one user and three roles, each implying the next. */
export function bootstrapState(adminPassword: string): State {
  const state = emptyState()
  state.domains.set('default', {
    id: 'default',
    name: 'Default',
    description: 'The default domain',
    enabled: true,
  })
  const [projectId, userId] = [newId(), newId()]
  state.projects.set(projectId, {
    id: projectId,
    name: 'admin',
    domainId: 'default',
    description: 'Bootstrap project for initializing the cloud.',
    enabled: true,
  })
  state.users.set(userId, {
    id: userId,
    name: 'admin',
    domainId: 'default',
    enabled: true,
    password: adminPassword,
    defaultProjectId: null,
    email: null,
  })
  const reader = addBootstrapRole(state, 'reader')
  const member = addBootstrapRole(state, 'member')
  const admin = addBootstrapRole(state, 'admin')
  state.impliedRoles.set(admin, [member]).set(member, [reader])
  const grant = { actor: 'users', actorId: userId, roleId: admin } as const
  state.grants.push(
    { ...grant, target: 'projects', targetId: projectId },
    { ...grant, target: 'system', targetId: 'all' },
  )
  return state
}
