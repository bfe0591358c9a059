import { randomBytes } from 'node:crypto'
import type { Connection } from '../../../src/dev/embedded-keystone/api-call.ts'
import { createIdentityApi } from '../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'
import type { ObjectDocument } from '../../worker/policy/reference.ts'
import { serveKeystone } from '../bench/keystone.ts'
import type { Stage } from '../bench/stage.ts'
import { serveWebhook, type Webhook } from '../bench/webhook.ts'

/** What the answer to a token must say. */
export interface ExpectedUser {
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
}

/** The webhook under test, and what its judge knows: who holds which token, and what is secret. */
export interface World {
  readonly webhook: Webhook
  readonly keystoneUrl: string
  /** The caller's credential, without `Bearer`. */
  readonly credential: string
  /** Tokens that Keystone issued for a project and has not revoked. */
  readonly tokens: readonly [string, ...string[]]
  /** Tokens that must be refused: revoked before anybody saw them, or without a project. */
  readonly deadTokens: readonly [string, ...string[]]
  readonly users: ReadonlyMap<string, ExpectedUser>
  /** Whether Keystone itself says now that the token is this user's. */
  keystoneSays(token: string, userId: string): Promise<boolean>
}

/** Two rights, and no to everything else that a Keystone user asks. */
export const POLICY: ObjectDocument = {
  policies: [
    {
      users: { roles: ['member'], projects: ['demo'] },
      resource_permissions: { 'default/pods': ['get', 'list'], "!kube-system/['secrets', 'configmaps']": ['get'] },
    },
    { users: { roles: ['reader'], projects: ['demo'] }, nonresource_permissions: { '/logs/*': ['get'] } },
  ],
  on_no_match: 'deny',
}

const TOKENS_EACH = 12

/** Starts Keystone with the demo users and the bundle in front of it. */
export async function createWorld(stage: Stage): Promise<World> {
  const keystoneUrl = await serveKeystone(stage)
  const issued = await issueTokens({ url: keystoneUrl, fetch })
  const credential = randomBytes(32).toString('base64url')
  const documents = { mapping: '{}', policy: JSON.stringify(POLICY) }
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl, credential, documents })
  return {
    webhook,
    keystoneUrl,
    credential,
    tokens: nonEmpty([...issued.users.keys()]),
    deadTokens: nonEmpty(issued.dead),
    users: issued.users,
    async keystoneSays(token, userId) {
      if (!/^[\x21-\x7e]+$/.test(token)) return false
      const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token }
      const response = await fetch(`${keystoneUrl}/auth/tokens?nocatalog`, { headers })
      const body: { token?: { user?: { id?: unknown } } } = JSON.parse(await response.text())
      return response.status === 200 && body.token?.user?.id === userId
    },
  }
}

async function issueTokens(connection: Connection): Promise<{ users: Map<string, ExpectedUser>; dead: string[] }> {
  const login = { userName: 'admin', domain: 'default', password: 'secret' }
  const { token: adminToken } = await logIn(connection, { ...login, scope: 'system' })
  const api = createIdentityApi(connection, adminToken)
  const find = async (...wanted: Parameters<typeof api.find>): Promise<string> => {
    const found = await api.find(...wanted)
    if (found === undefined) throw new Error(`Keystone has no ${wanted.join(' ')}`)
    return found.id
  }
  const other = await find('domains', 'other')
  const users = new Map<string, ExpectedUser>()
  const dead = [adminToken, (await logIn(connection, { ...login, scope: 'unscoped' })).token]
  for (const [name, domain, projectName, groups] of [
    ['alice', 'default', 'demo', ['developers']],
    ['bob', 'default', 'demo', []],
    ['alice', other, 'other-demo', []],
  ] as const) {
    const project = await find('projects', projectName, domain)
    const expected = {
      username: domain === 'default' ? name : `${name}@${domain}`,
      uid: await find('users', name, domain),
      groups: [project, ...groups].sort(),
    }
    const issue = async (): Promise<string> =>
      (await logIn(connection, { userName: name, domain, password: name, scope: { project } })).token
    for (let count = 0; count < TOKENS_EACH; count += 1) {
      users.set(await issue(), expected)
      dead.push(await issue())
    }
  }
  await Promise.all(dead.slice(2).map((token) => revoke(connection.url, adminToken, token)))
  return { users, dead }
}

async function revoke(url: string, adminToken: string, token: string): Promise<void> {
  const headers = { 'X-Auth-Token': adminToken, 'X-Subject-Token': token }
  const { status } = await fetch(`${url}/auth/tokens`, { method: 'DELETE', headers })
  if (status !== 204) throw new Error(`Keystone did not revoke a token: ${status}`)
}

function nonEmpty<T>([first, ...rest]: readonly T[]): [T, ...T[]] {
  if (first === undefined) throw new Error('nothing was issued')
  return [first, ...rest]
}
