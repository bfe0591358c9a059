import type { Connection, Reply } from '../../src/dev/embedded-keystone/api-call.ts'
import { createIdentityApi, type IdentityApi } from '../../src/dev/embedded-keystone/identity-api.ts'
import { type Login, logIn, type Scope, tryLogIn } from '../../src/dev/embedded-keystone/log-in.ts'

/** A user, with the password that tests log in with. */
export interface Person {
  id: string
  name: string
  password: string
  domain: string
}

/** A user with a role on a project, both new, and a token for it. */
interface Tenant {
  person: Person
  project: { id: string; name: string }
  token: string
}

/** What tests do with a Keystone, whichever it is. Everything they make is new and has a unique name. */
export interface KeystonePeople {
  connection: Connection
  /** Acts as the administrator of the whole system. */
  admin: IdentityApi
  /** The administrator's token: a service token. */
  adminToken: string
  /** Acts with the given token. */
  as(token: string): IdentityApi
  /** The id of the role of that name. */
  role(name: string): Promise<string>
  newPerson(fields?: { domain?: string; name?: string }): Promise<Person>
  newTenant(fields?: { domain?: string; role?: string }): Promise<Tenant>
  /** A token of the person; unscoped unless a scope is given. */
  token(person: Person, scope?: Scope): Promise<string>
  tryLogIn(login: Login): Promise<Reply>
}

/** A name that nothing else has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 13)}`
}

/** Logs in as the administrator `admin` of the domain `default`. @throws Error when Keystone refuses */
export async function openKeystone(connection: Connection, adminPassword: string): Promise<KeystonePeople> {
  const login = { userName: 'admin', domain: 'default', password: adminPassword, scope: 'system' } as const
  const { token: adminToken } = await logIn(connection, login)
  const admin = createIdentityApi(connection, adminToken)
  const token = async (person: Person, scope: Scope = 'unscoped') =>
    (await logIn(connection, { user: person.id, password: person.password, scope })).token
  const role = async (name: string) => {
    const found = await admin.find('roles', name)
    if (found === undefined) throw new Error(`no role ${name}`)
    return found.id
  }
  const newPerson = async ({ domain = 'default', name = uniqueName('user') } = {}) => {
    const password = uniqueName('password')
    const { id } = await admin.create('users', { name, password, domain_id: domain })
    return { id, name, password, domain }
  }
  const newTenant = async ({ domain = 'default', role: roleName = 'member' } = {}) => {
    const person = await newPerson({ domain })
    const project = await admin.create('projects', { name: uniqueName('project'), domain_id: domain })
    await admin.grant({ role: await role(roleName), user: person.id, project: project.id })
    return { person, project, token: await token(person, { project: project.id }) }
  }
  return {
    connection,
    admin,
    adminToken,
    as: (value) => createIdentityApi(connection, value),
    role,
    newPerson,
    newTenant,
    token,
    tryLogIn: (login) => tryLogIn(connection, login),
  }
}
