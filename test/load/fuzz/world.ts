import { randomBytes } from 'node:crypto'
import type { ObjectDocument } from '../../worker/policy/reference.ts'
import { serveWebhook, type Webhook } from '../harness/bundled-webhook.ts'
import { type ServedKeystone, serveDemoKeystone } from '../harness/served-keystone.ts'
import type { Stage } from '../harness/stage.ts'

/** What the answer to a token must say. */
interface ExpectedUser {
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
  const keystone = await serveDemoKeystone(stage)
  const keystoneUrl = keystone.url
  const issued = await issueTokens(keystone)
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

async function issueTokens(keystone: ServedKeystone): Promise<{ users: Map<string, ExpectedUser>; dead: string[] }> {
  const other = await keystone.find('domains', 'other')
  const users = new Map<string, ExpectedUser>()
  const revoked: string[] = []
  for (const [name, domain, projectName, groups] of [
    ['alice', 'default', 'demo', ['developers']],
    ['bob', 'default', 'demo', []],
    ['alice', other, 'other-demo', []],
  ] as const) {
    const project = await keystone.find('projects', projectName, domain)
    const expected = {
      username: domain === 'default' ? name : `${name}@${domain}`,
      uid: await keystone.find('users', name, domain),
      groups: [project, ...groups].sort(),
    }
    for (let count = 0; count < TOKENS_EACH; count += 1) {
      users.set(await keystone.issueToken({ name, domain, project }), expected)
      revoked.push(await keystone.issueToken({ name, domain, project }))
    }
  }
  await Promise.all(revoked.map((token) => keystone.revoke(token)))
  return { users, dead: [keystone.adminToken, await keystone.issueUnscopedToken(), ...revoked] }
}

function nonEmpty<T>([first, ...rest]: readonly T[]): [T, ...T[]] {
  if (first === undefined) throw new Error('nothing was issued')
  return [first, ...rest]
}
