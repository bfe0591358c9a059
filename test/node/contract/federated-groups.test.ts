import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Federation, startFederation } from '../../support/federation/federation.ts'
import { type LocalWebhook, startLocalWebhook } from '../system/local-webhook.ts'
import { describeKeystone, uniqueName } from './contract-keystone.ts'
import { accessToken, exchange, usersAccessToken } from './federation.ts'
import { factsOf, tokenOf } from './validation.ts'

// A federated user is in the group of the mapping, and in another since an administrator put him there. The deployed bundle in
// workerd, in front of each Keystone, gives him the names that Keystone tells, and rules by group id match in any case.

describeKeystone('the groups of a federated user', (keystone) => {
  let federation: Federation
  let permanent: { id: string; name: string }
  let webhook: LocalWebhook
  beforeAll(async () => {
    const { admin, target } = keystone()
    const { url } = target.connection
    federation = await startFederation({
      keystone: { url, adminPassword: target.adminPassword },
      idp: uniqueName('idp'),
    })
    permanent = await admin.create('groups', { name: uniqueName('permanent'), domain_id: 'default' })
    webhook = await startLocalWebhook(url)
    const rules = [
      { group: federation.group.id, groups: ['of-mapping'] },
      { group: permanent.id, groups: ['of-administrator'] },
    ]
    await webhook.putDocument('mapping', JSON.stringify({ rules }))
  })
  afterAll(async () => {
    await webhook?.close()
    await federation?.stop()
  })

  /** How long the memberships last that a login brings; 0: they are in its token only. */
  async function keepMemberships(minutes: number): Promise<void> {
    const path = `/OS-FEDERATION/identity_providers/${federation.idp}`
    const body = { identity_provider: { authorization_ttl: minutes } }
    expect(await keystone().admin.send({ method: 'PATCH', path, body })).toMatchObject({ status: 200 })
  }

  /** Logs in, puts the user into the permanent group, and rescopes the token. */
  async function logIn(access: string): Promise<{ id: string; token: string }> {
    const { admin, tryLogIn } = keystone()
    const unscoped = await exchange(federation, access)
    const { id } = tokenOf(unscoped).user as { id: string }
    await admin.addToGroup(permanent.id, id)
    const token = unscoped.headers.get('X-Subject-Token') ?? ''
    const scoped = await tryLogIn({ token, scope: { project: federation.project.id } })
    return { id, token: scoped.headers.get('X-Subject-Token') ?? '' }
  }

  async function listedGroups({ id, token }: { id: string; token: string }) {
    const reply = await keystone()
      .as(token)
      .send({ method: 'GET', path: `/users/${id}/groups` })
    const { groups } = reply.body as { groups: { id: string; name: string; membership_expires_at: string | null }[] }
    const rows = groups.map((group) => [group.name, group.membership_expires_at === null ? 'for ever' : 'for a time'])
    return Object.fromEntries(rows)
  }

  test('are listed when permanent; those of the mapping are in the token only, as ids', async () => {
    await keepMemberships(0)
    const user = await logIn(await usersAccessToken(federation))
    expect(await listedGroups(user)).toEqual({ [permanent.name]: 'for ever' })
    const { group, project } = federation
    expect(await factsOf(keystone(), user.token)).toMatchObject({
      user: { 'OS-FEDERATION': { groups: [{ id: group.id }] } },
    })
    const username = `${federation.user}@idp:${federation.idp}`
    const groups = ['of-administrator', 'of-mapping', permanent.name, project.id].sort()
    expect((await webhook.review(user.token)).json.status).toMatchObject({ user: { username, uid: user.id, groups } })
  })

  test('are all listed while the memberships of the mapping last', async () => {
    await keepMemberships(5)
    const user = await logIn(await accessToken(federation, { grant_type: 'client_credentials' }))
    const { group, project } = federation
    expect(await listedGroups(user)).toEqual({ [permanent.name]: 'for ever', [group.name]: 'for a time' })
    const groups = ['of-administrator', 'of-mapping', permanent.name, group.name, project.id].sort()
    expect((await webhook.review(user.token)).json.status).toMatchObject({ user: { uid: user.id, groups } })
  })
})
