import type { Connection } from './api-call.ts'
import { createIdentityApi, type IdentityApi } from './identity-api.ts'
import { logIn } from './log-in.ts'

/** Which Keystone to seed. */
interface SeedOptions extends Connection {
  /** Password of the bootstrap user `admin`. */
  adminPassword: string
}

/** A demo user: the password is the name. */
interface DemoUser {
  name: string
  role: string
  project: string
}

const HOME_USERS: DemoUser[] = [
  { name: 'alice', role: 'member', project: 'demo' },
  { name: 'bob', role: 'reader', project: 'demo' },
]

/** Has the same name as a user of the home domain, to show that names alone mean nothing. */
const OTHER_USERS: DemoUser[] = [{ name: 'alice', role: 'member', project: 'other-demo' }]

/**
 * Adds the demo users to any Keystone, embedded or real, through its API alone. What is there already by name is left as it
 * is, so it may run again.
 * @throws Error when Keystone refuses something
 */
export async function seedDemo({ adminPassword, ...connection }: SeedOptions): Promise<void> {
  const login = { userName: 'admin', domain: 'default', password: adminPassword, scope: 'system' } as const
  const { token } = await logIn(connection, login)
  const api = createIdentityApi(connection, token)
  const other = (await api.find('domains', 'other')) ?? (await api.create('domains', { name: 'other' }))
  await addUsers(api, 'default', HOME_USERS)
  await addUsers(api, other.id, OTHER_USERS)
  const developers = await ensure(api, 'groups', 'default', { name: 'developers' })
  const alice = await ensure(api, 'users', 'default', { name: 'alice' })
  await api.addToGroup(developers, alice)
}

async function addUsers(api: IdentityApi, domain: string, users: DemoUser[]): Promise<void> {
  for (const { name, role: roleName, project: projectName } of users) {
    const role = await api.find('roles', roleName)
    if (role === undefined) throw new Error(`this Keystone has no role ${roleName}`)
    const project = await ensure(api, 'projects', domain, { name: projectName })
    const user = await ensure(api, 'users', domain, { name, password: name })
    await api.grant({ role: role.id, user, project })
  }
}

/** The id of the entity of that name in the domain, made if missing. */
async function ensure(
  api: IdentityApi,
  kind: 'users' | 'projects' | 'groups',
  domain: string,
  fields: { name: string; password?: string },
): Promise<string> {
  const found =
    (await api.find(kind, fields.name, domain)) ?? (await api.create(kind, { ...fields, domain_id: domain }))
  return found.id
}
