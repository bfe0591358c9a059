import type { Connection } from '../../../src/dev/embedded-keystone/api-call.ts'
import { createIdentityApi } from '../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'

/** A token, and the name of whose it is. */
export interface Login {
  readonly token: string
  readonly username: string
}

/** Users of one project who come and go. */
export interface People {
  /** Logged in now. */
  readonly live: Login[]
  /** Logged out, with the time of it. */
  readonly gone: { readonly token: string; readonly atMs: number }[]
  /** One logs out, one logs in: the oldest goes. */
  turnOver(): Promise<void>
}

const KEPT_GONE = 200

/** Makes as many users in the demo project and logs each in. */
export async function createPeople(connection: Connection, count: number): Promise<People> {
  const admin = { userName: 'admin', domain: 'default', password: 'secret' }
  const { token: adminToken } = await logIn(connection, { ...admin, scope: 'system' })
  const api = createIdentityApi(connection, adminToken)
  const [role, project] = [await api.find('roles', 'member'), await api.find('projects', 'demo', 'default')]
  if (role === undefined || project === undefined) throw new Error('Keystone is not seeded')
  const names = Array.from({ length: count }, (_, index) => `user-${index}`)
  for (const name of names) {
    const user = await api.create('users', { name, password: name, domain_id: 'default' })
    await api.grant({ role: role.id, user: user.id, project: project.id })
  }
  async function enter(username: string): Promise<Login> {
    const login = { userName: username, domain: 'default', password: username, scope: { project: project?.id ?? '' } }
    return { token: (await logIn(connection, login)).token, username }
  }
  const live = await Promise.all(names.map(enter))
  const gone: People['gone'] = []
  return {
    live,
    gone,
    async turnOver() {
      const oldest = live.shift()
      if (oldest === undefined) return
      const headers = { 'X-Auth-Token': adminToken, 'X-Subject-Token': oldest.token }
      await fetch(`${connection.url}/auth/tokens`, { method: 'DELETE', headers })
      gone.push({ token: oldest.token, atMs: Date.now() })
      if (gone.length > KEPT_GONE) gone.shift()
      live.push(await enter(oldest.username))
    },
  }
}
