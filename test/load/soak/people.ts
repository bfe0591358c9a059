import type { ServedKeystone } from '../harness/served-keystone.ts'

/** A token, and the name of whose it is. */
interface Login {
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
export async function createPeople(keystone: ServedKeystone, count: number): Promise<People> {
  const { api } = keystone
  const role = await keystone.find('roles', 'member')
  const project = await keystone.find('projects', 'demo', 'default')
  const names = Array.from({ length: count }, (_, index) => `user-${index}`)
  for (const name of names) {
    const user = await api.create('users', { name, password: name, domain_id: 'default' })
    await api.grant({ role, user: user.id, project })
  }
  const enter = async (username: string): Promise<Login> => ({
    token: await keystone.issueToken({ name: username, project }),
    username,
  })
  const live = await Promise.all(names.map(enter))
  const gone: People['gone'] = []
  return {
    live,
    gone,
    async turnOver() {
      const oldest = live.shift()
      if (oldest === undefined) return
      await keystone.revoke(oldest.token)
      gone.push({ token: oldest.token, atMs: Date.now() })
      if (gone.length > KEPT_GONE) gone.shift()
      live.push(await enter(oldest.username))
    },
  }
}
