import { createEmbeddedKeystone, type EmbeddedKeystone } from '../../src/dev/embedded-keystone/embedded-keystone.ts'
import { createIdentityApi, type IdentityApi } from '../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../src/dev/embedded-keystone/log-in.ts'
import { seedDemo } from '../../src/dev/embedded-keystone/seed.ts'

/** An embedded Keystone with the demo users, and what tests do with it as its administrator. */
export interface DemoKeystone extends EmbeddedKeystone {
  readonly admin: IdentityApi
  readonly adminToken: string
  readonly url: string
  id(kind: 'users' | 'projects' | 'groups' | 'roles' | 'domains', name: string, domain?: string): Promise<string>
  /** A project-scoped token of alice or bob. */
  tokenOf(name: 'alice' | 'bob'): Promise<string>
  connection(): { url: string; fetch: (request: Request) => Promise<Response> }
}

export async function createDemoKeystone(options: {
  now: () => number
  url: string
  provider?: 'fernet' | 'jws'
  tokenLifetimeSeconds?: number
}): Promise<DemoKeystone> {
  const keystone = await createEmbeddedKeystone({ provider: 'fernet', ...options })
  const connection = { url: options.url, fetch: keystone.fetch }
  await seedDemo({ ...connection, adminPassword: 'secret' })
  const { token: adminToken } = await logIn(connection, {
    userName: 'admin',
    domain: 'default',
    password: 'secret',
    scope: 'system',
  })
  const admin = createIdentityApi(connection, adminToken)
  async function id(kind: Parameters<DemoKeystone['id']>[0], name: string, domain?: string): Promise<string> {
    const found = await admin.find(kind, name, domain)
    if (found === undefined) throw new Error(`no ${kind} named ${name}`)
    return found.id
  }
  return {
    ...keystone,
    url: options.url,
    admin,
    adminToken,
    id,
    async tokenOf(name) {
      const scope = { project: await id('projects', 'demo', 'default') }
      return (await logIn(connection, { userName: name, domain: 'default', password: name, scope })).token
    },
    connection: () => connection,
  }
}
