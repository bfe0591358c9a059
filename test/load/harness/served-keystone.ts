import { createIdentityApi, type IdentityApi } from '../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'
import { seedDemo } from '../../../src/dev/embedded-keystone/seed.ts'
import { serveEmbeddedKeystone } from '../../../src/dev/embedded-keystone/serve.ts'
import type { Stage } from './stage.ts'

/** The embedded Keystone with the demo users. */
export interface ServedKeystone {
  /** The root of the Identity API. */
  readonly url: string
  /** Acts as the administrator, whose token is for the whole system. */
  readonly api: IdentityApi
  readonly adminToken: string
  /** The id of what has the name. @throws Error when nothing has */
  find(...wanted: Parameters<IdentityApi['find']>): Promise<string>
  /** A token for a project. The user's password is the user's name, as it is for all demo users but the administrator. */
  issueToken(login: ProjectLogin): Promise<string>
  /** An administrator's token for nothing. */
  issueUnscopedToken(): Promise<string>
  /** @throws Error when Keystone refuses */
  revoke(token: string): Promise<void>
}

interface ProjectLogin {
  readonly name: string
  /** Id. */
  readonly project: string
  /** Id of the user's domain; `default` when absent. */
  readonly domain?: string
}

const ADMIN = { userName: 'admin', domain: 'default', password: 'secret' }

/** Serves the embedded Keystone until the stage is closed. */
export async function serveDemoKeystone(stage: Stage): Promise<ServedKeystone> {
  const keystone = await serveEmbeddedKeystone({ port: 0, provider: 'fernet' })
  stage.defer(() => keystone.close())
  const connection = { url: keystone.url, fetch }
  await seedDemo({ ...connection, adminPassword: ADMIN.password })
  const { token: adminToken } = await logIn(connection, { ...ADMIN, scope: 'system' })
  const api = createIdentityApi(connection, adminToken)
  return {
    url: keystone.url,
    api,
    adminToken,
    async find(...wanted) {
      const found = await api.find(...wanted)
      if (found === undefined) throw new Error(`Keystone has no ${wanted.join(' ')}`)
      return found.id
    },
    async issueToken({ name, project, domain = 'default' }) {
      const login = { userName: name, domain, password: name, scope: { project } }
      return (await logIn(connection, login)).token
    },
    issueUnscopedToken: async () => (await logIn(connection, { ...ADMIN, scope: 'unscoped' })).token,
    async revoke(token) {
      const headers = { 'X-Auth-Token': adminToken, 'X-Subject-Token': token }
      const { status } = await fetch(`${keystone.url}/auth/tokens`, { method: 'DELETE', headers })
      if (status !== 204) throw new Error(`Keystone did not revoke a token: ${status}`)
    },
  }
}

/** A token of alice's for the project `demo`. */
export async function issueAlicesToken(keystone: ServedKeystone): Promise<string> {
  return keystone.issueToken({ name: 'alice', project: await keystone.find('projects', 'demo', 'default') })
}
