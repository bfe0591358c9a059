import { describe, expect, it } from 'vitest'
import { createIdentityApi } from '../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'
import { createClock } from '../../support/clock.ts'
import { createDemoKeystone, type DemoKeystone } from '../../support/demo-keystone.ts'
import { createWebhook, KEYSTONE_URL, type Webhook } from '../../support/webhook.ts'

// The webhook in front of the embedded Keystone, whose faithfulness test/node/contract/ holds to a real one. Every row of
// the table of what makes a token invalid, as a change at Keystone that the webhook sees at its next look-up.

interface Prepared {
  readonly keystone: DemoKeystone
  readonly webhook: Webhook
}

async function prepare(provider: 'fernet' | 'jws'): Promise<Prepared> {
  const clock = createClock()
  const keystone = await createDemoKeystone({ now: clock.now, url: KEYSTONE_URL, provider })
  return { keystone, webhook: await createWebhook({ keystone: keystone.fetch, clock }) }
}

async function statusOf(webhook: Webhook, token: string) {
  return (await webhook.review(token)).json.status
}

const NO = { authenticated: false }
const TTL_MS = 120_000

describe.each(['fernet', 'jws'] as const)('a Keystone with %s tokens', (provider) => {
  it('vouches for its users', async () => {
    const { keystone, webhook } = await prepare(provider)
    const demo = await keystone.id('projects', 'demo', 'default')
    expect((await statusOf(webhook, await keystone.tokenOf('alice'))).user).toMatchObject({
      username: 'alice',
      uid: await keystone.id('users', 'alice', 'default'),
      groups: [demo, 'developers'].sort(),
    })
    expect((await statusOf(webhook, await keystone.tokenOf('bob'))).user).toMatchObject({
      username: 'bob',
      groups: [demo],
    })
  })

  it('and two users of one name in two domains are two users', async () => {
    const { keystone, webhook } = await prepare(provider)
    const other = await keystone.id('domains', 'other')
    const scope = { project: await keystone.id('projects', 'other-demo', other) }
    const { token } = await logIn(keystone.connection(), { userName: 'alice', domain: other, password: 'alice', scope })
    expect((await statusOf(webhook, token)).user).toMatchObject({ username: `alice@${other}`, groups: [scope.project] })
  })

  type Act = (keystone: DemoKeystone, token: string) => Promise<unknown>
  const userId = (keystone: DemoKeystone) => keystone.id('users', 'alice', 'default')
  const projectId = (keystone: DemoKeystone) => keystone.id('projects', 'demo', 'default')
  const invalidations: [string, Act][] = [
    [
      'revoked',
      (keystone, token) =>
        keystone.admin.send({ method: 'DELETE', path: '/auth/tokens', headers: { 'X-Subject-Token': token } }),
    ],
    [
      'of a disabled user',
      async (keystone) => keystone.admin.update('users', await userId(keystone), { enabled: false }),
    ],
    [
      'from before a change of password',
      async (keystone) => keystone.admin.update('users', await userId(keystone), { password: 'new' }),
    ],
    [
      'of a disabled project',
      async (keystone) => keystone.admin.update('projects', await projectId(keystone), { enabled: false }),
    ],
    ['of a disabled domain', async (keystone) => keystone.admin.update('domains', 'default', { enabled: false })],
    ['of a deleted user', async (keystone) => keystone.admin.remove('users', await userId(keystone))],
    [
      'whose last role on the project was removed',
      async (keystone) =>
        keystone.admin.ungrant({
          role: await keystone.id('roles', 'member'),
          user: await userId(keystone),
          project: await projectId(keystone),
        }),
    ],
  ]
  for (const [what, act] of invalidations) {
    it(`a token ${what} is refused at the next look-up, and served until then`, async () => {
      const { keystone, webhook } = await prepare(provider)
      // Keystone's revocations have whole seconds: the token must be older than that.
      const token = await keystone.tokenOf('alice')
      webhook.clock.advance(2000)
      expect((await statusOf(webhook, token)).authenticated).toBe(true)
      await act(keystone, token)
      webhook.clock.advance(TTL_MS - 1)
      expect((await statusOf(webhook, token)).authenticated).toBe(true)
      webhook.clock.advance(1)
      expect(await statusOf(webhook, token)).toEqual(NO)
      expect(webhook.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'rejected' })
    })
  }

  it('a token that has expired is refused', async () => {
    const { keystone, webhook } = await prepare(provider)
    const token = await keystone.tokenOf('alice')
    webhook.clock.advance(3_600_000)
    expect(await statusOf(webhook, token)).toEqual(NO)
  })

  it('application credentials log in until they are deleted; those with access rules never do', async () => {
    const { keystone, webhook } = await prepare(provider)
    const alice = await userId(keystone)
    const scope = { project: await projectId(keystone) }
    const own = await logIn(keystone.connection(), { user: alice, password: 'alice', scope })
    const asAlice = createIdentityApi(keystone.connection(), own.token)
    const made = await asAlice.createApplicationCredential(alice, { name: 'ci' })
    const { token } = await logIn(keystone.connection(), { credential: made.id, secret: made.secret })
    expect((await statusOf(webhook, token)).user.extra).toMatchObject({
      'keystone.openstack.org/application-credential-id': [made.id],
      'keystone.openstack.org/methods': ['application_credential'],
    })
    await asAlice.removeApplicationCredential(alice, made.id)
    webhook.clock.advance(TTL_MS)
    expect(await statusOf(webhook, token)).toEqual(NO)

    const rules = [{ path: '/v2.1/servers', method: 'GET', service: 'compute' }]
    const limited = await asAlice.createApplicationCredential(alice, { name: 'limited', access_rules: rules })
    const restricted = await logIn(keystone.connection(), { credential: limited.id, secret: limited.secret })
    expect(await statusOf(webhook, restricted.token)).toEqual(NO)
  })

  it('a trust logs in as far as it goes', async () => {
    const { keystone, webhook } = await prepare(provider)
    const [alice, bob] = [await userId(keystone), await keystone.id('users', 'bob', 'default')]
    const project = await projectId(keystone)
    const own = await logIn(keystone.connection(), { user: alice, password: 'alice', scope: { project } })
    const trust = await createIdentityApi(keystone.connection(), own.token).createTrust({
      trustor: alice,
      trustee: bob,
      project,
      roles: ['member'],
    })
    const { token: bobs } = await logIn(keystone.connection(), { user: bob, password: 'bob', scope: 'unscoped' })
    const { token } = await logIn(keystone.connection(), { token: bobs, scope: { trust: trust.id } })
    expect((await statusOf(webhook, token)).user).toMatchObject({
      username: 'bob',
      extra: { 'keystone.openstack.org/trust-id': [trust.id] },
    })
  })

  it('a changed role shows at the next look-up', async () => {
    const { keystone, webhook } = await prepare(provider)
    const token = await keystone.tokenOf('bob')
    expect((await statusOf(webhook, token)).user.extra['alpha.kubernetes.io/identity/roles']).toEqual(['reader'])
    await keystone.admin.grant({
      role: await keystone.id('roles', 'admin'),
      user: await keystone.id('users', 'bob', 'default'),
      project: await projectId(keystone),
    })
    webhook.clock.advance(TTL_MS)
    expect((await statusOf(webhook, token)).user.extra['alpha.kubernetes.io/identity/roles']).toContain('admin')
  })

  it('unscoped, domain- and system-scoped tokens are valid, and not allowed in', async () => {
    const { keystone, webhook } = await prepare(provider)
    const admin = await keystone.id('users', 'admin', 'default')
    await keystone.admin.grant({ role: await keystone.id('roles', 'admin'), user: admin, domain: 'default' })
    for (const scope of ['unscoped', 'system', { domain: 'default' }] as const) {
      const { token } = await logIn(keystone.connection(), { user: admin, password: 'secret', scope })
      expect(await statusOf(webhook, token)).toEqual(NO)
      expect(webhook.reviews().at(-1)).toMatchObject({ reason: 'scope_not_allowed', keystoneCalls: 1 })
    }
  })

  it('a token that was never issued costs one look-up', async () => {
    const { keystone, webhook } = await prepare(provider)
    const token = await keystone.tokenOf('alice')
    const last = token.at(-2) === 'A' ? 'B' : 'A'
    const forged = `${token.slice(0, -2)}${last}${token.slice(-1)}`
    expect(await statusOf(webhook, forged)).toEqual(NO)
    expect(webhook.keystoneRequests).toHaveLength(1)
  })
})

describe('names that tenants choose', () => {
  it('reach neither the system, nor another domain, nor an id', async () => {
    const { keystone, webhook } = await prepare('fernet')
    const member = await keystone.id('roles', 'member')
    const victim = await keystone.id('projects', 'demo', 'default')
    const other = await keystone.id('domains', 'other')
    const project = await keystone.admin.create('projects', { name: victim, domain_id: 'default' })
    for (const name of ['system:admin', `alice@${other}`, 'a\u202eb']) {
      const user = await keystone.admin.create('users', { name, password: 'p', domain_id: 'default' })
      await keystone.admin.grant({ role: member, user: user.id, project: project.id })
      const login = { user: user.id, password: 'p', scope: { project: project.id } }
      const { token } = await logIn(keystone.connection(), login)
      expect(await statusOf(webhook, token)).toEqual(NO)
      expect(webhook.reviews().at(-1)?.reason).toBe('reserved_name')
    }
    const mallory = await keystone.admin.create('users', { name: 'mallory', password: 'p', domain_id: 'default' })
    await keystone.admin.grant({ role: member, user: mallory.id, project: project.id })
    for (const name of ['system:masters', victim, `ops@${other}`]) {
      const group = await keystone.admin.create('groups', { name, domain_id: 'default' })
      await keystone.admin.addToGroup(group.id, mallory.id)
    }
    const { token } = await logIn(keystone.connection(), {
      user: mallory.id,
      password: 'p',
      scope: { project: project.id },
    })
    expect((await statusOf(webhook, token)).user.groups).toEqual([project.id])
    expect(webhook.reviews().at(-1)).toMatchObject({ user: 'mallory', leftOut: 3 })
  })
})
