import type { Identity, KeystoneGroup } from '../../../keystone/identity.ts'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'
import { logInAsAdministrator } from './administrator.ts'
import { type Assignment, type Group, listAssignments, listGroups, listMembers } from './list-keystone.ts'

/** What a token of a user of Keystone would say: one for each project, domain or system where the user has a role. */
export interface KeystoneUser {
  readonly label: string
  readonly identity: Identity
}

/** Reads all users who have a role somewhere, with an administrator's credentials; groups are read as well. */
export async function readKeystoneUsers(
  context: CommandContext,
  { cloud, homeDomain }: { readonly cloud: string | undefined; readonly homeDomain: string },
): Promise<readonly KeystoneUser[]> {
  const ask = await logInAsAdministrator(context, cloud)
  note(context, 'reading role assignments from Keystone …')
  const assignments = await listAssignments(ask)
  const groups = await listGroups(ask)
  note(context, `reading who is in which of ${groups.length} groups …`)
  const groupsOf = new Map<string, KeystoneGroup[]>()
  for (const [index, group] of groups.entries()) {
    if (index > 0 && index % 100 === 0) note(context, `… ${index} of ${groups.length} groups`)
    for (const user of await listMembers(ask, group.id)) {
      const known = groupsOf.get(user)
      if (known === undefined) groupsOf.set(user, [toGroup(group)])
      else known.push(toGroup(group))
    }
  }
  return toKeystoneUsers(assignments, groupsOf, homeDomain)
}

function toGroup({ id, name, domain_id: domainId }: Group): KeystoneGroup {
  return { id, name, domainId }
}

/** Users by the assignments of their roles. An assignment without a user is of a group that has no users. */
export function toKeystoneUsers(
  assignments: readonly Assignment[],
  groupsOf: ReadonlyMap<string, readonly KeystoneGroup[]>,
  homeDomain: string,
): readonly KeystoneUser[] {
  const users = new Map<string, Identity>()
  for (const { user, role, scope: where } of assignments) {
    const scope = toScope(where)
    if (user === undefined || scope === undefined) continue
    const key = JSON.stringify([user.id, scope])
    const known = users.get(key)
    const roles = [...(known?.roles ?? []), { id: role.id, name: role.name }]
    users.set(key, {
      user: { id: user.id, name: user.name, domain: user.domain },
      scope,
      roles: [...new Map(roles.map((one) => [one.id, one])).values()],
      methods: [],
      auditIds: [],
      groups: [...(groupsOf.get(user.id) ?? [])],
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    })
  }
  return [...users.values()].map((identity) => ({ label: describe(identity, homeDomain), identity }))
}

function toScope({ project, domain, system }: Assignment['scope']): Identity['scope'] | undefined {
  if (project !== undefined) return { kind: 'project', id: project.id, name: project.name, domain: project.domain }
  if (domain !== undefined) return { kind: 'domain', id: domain.id, name: domain.name }
  return system === undefined ? undefined : { kind: 'system' }
}

function describe({ user, scope, roles }: Identity, homeDomain: string): string {
  const qualify = (name: string, domain: string): string => (domain === homeDomain ? name : `${name}@${domain}`)
  const where =
    scope.kind === 'project'
      ? `project ${qualify(scope.name, scope.domain.id)}`
      : scope.kind === 'domain'
        ? `domain ${scope.name}`
        : scope.kind
  const names = roles.map(({ name }) => name).sort()
  return `user ${qualify(user.name, user.domain.id)}; ${where}; roles ${names.join(', ')}`
}
