import { notFound } from './errors.ts'
import type {
  ApplicationCredential,
  Domain,
  Group,
  IdentityProvider,
  Project,
  Role,
  State,
  Trust,
  User,
} from './keystone-state.ts'

// Each finds an entity by its id or throws Keystone's 404 for it.

/** The domain. @throws KeystoneError 404 */
export function getDomain(state: State, id: string): Domain {
  return state.domains.get(id) ?? fail('domain', id)
}

/** The project. @throws KeystoneError 404 */
export function getProject(state: State, id: string): Project {
  return state.projects.get(id) ?? fail('project', id)
}

/** The user. @throws KeystoneError 404 */
export function getUser(state: State, id: string): User {
  return state.users.get(id) ?? fail('user', id)
}

/** The group. @throws KeystoneError 404 */
export function getGroup(state: State, id: string): Group {
  return state.groups.get(id) ?? fail('group', id)
}

/** The role. @throws KeystoneError 404 */
export function getRole(state: State, id: string): Role {
  return state.roles.get(id) ?? fail('role', id)
}

/** The application credential. @throws KeystoneError 404 */
export function getApplicationCredential(state: State, id: string): ApplicationCredential {
  return state.applicationCredentials.get(id) ?? fail('Application Credential', id)
}

/** The trust, if it has not expired at `now` (milliseconds). @throws KeystoneError 404 */
export function getTrust(state: State, id: string, now: number): Trust {
  const trust = state.trusts.get(id)
  return trust !== undefined && (trust.expiresAt === null || now <= trust.expiresAt) ? trust : fail('trust', id)
}

/** The identity provider. @throws KeystoneError 404 */
export function getIdentityProvider(state: State, id: string): IdentityProvider {
  return state.identityProviders.get(id) ?? fail('Identity Provider', id)
}

function fail(kind: string, id: string): never {
  throw notFound(kind, id)
}
