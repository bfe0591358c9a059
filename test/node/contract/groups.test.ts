import { expect, test } from 'vitest'
import { describeKeystone, uniqueName } from './contract-keystone.ts'
import { errorOf } from './validation.ts'

describeKeystone("a user's groups", (keystone) => {
  const groupsOf = (token: string, userId: string) =>
    keystone()
      .as(token)
      .send({ method: 'GET', path: `/users/${userId}/groups` })

  test('are read with the own token, whatever its scope', async () => {
    const { admin, connection, newTenant } = keystone()
    const { person, token } = await newTenant()
    const group = await admin.create('groups', { name: uniqueName('group'), domain_id: 'default' })
    await admin.addToGroup(group.id, person.id)
    for (const own of [token, await keystone().token(person)]) {
      const reply = await groupsOf(own, person.id)
      expect(reply.status).toBe(200)
      expect(reply.body).toMatchObject({
        groups: [{ id: group.id, name: group.name, domain_id: 'default' }],
        links: { next: null, previous: null, self: `${connection.url}/users/${person.id}/groups` },
      })
    }
  })

  test('are an empty list for a user without any', async () => {
    const { person, token } = await keystone().newTenant()
    expect(await groupsOf(token, person.id)).toMatchObject({ status: 200, body: { groups: [] } })
  })

  test('are not read by another user: 403, whether the user exists or not', async () => {
    const { token } = await keystone().newTenant()
    const other = await keystone().newPerson()
    for (const id of [other.id, 'nobody']) {
      const reply = await groupsOf(token, id)
      expect(errorOf(reply)).toMatchObject({ code: 403 })
    }
  })

  test('are read by an administrator: 404 for a user who does not exist', async () => {
    const { adminToken, newPerson } = keystone()
    expect(await groupsOf(adminToken, (await newPerson()).id)).toMatchObject({ status: 200 })
    expect(errorOf(await groupsOf(adminToken, 'nobody'))).toMatchObject({ code: 404 })
  })

  test('are not read without a token that holds', async () => {
    const { person } = await keystone().newTenant()
    expect(errorOf(await groupsOf('garbage', person.id))).toMatchObject({ code: 401 })
  })

  test('are limited to the domain that the token is scoped to', async () => {
    const { admin, newPerson, role } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    const person = await newPerson()
    const group = await admin.create('groups', { name: uniqueName('group'), domain_id: 'default' })
    await admin.addToGroup(group.id, person.id)
    await admin.grant({ role: await role('reader'), user: person.id, domain: domain.id })
    const token = await keystone().token(person, { domain: domain.id })
    expect(await groupsOf(token, person.id)).toMatchObject({ status: 200, body: { groups: [] } })
  })

  test('are those of the user that the token acts as', async () => {
    const { admin, as, newPerson, newTenant } = keystone()
    const { person: trustor, project, token } = await newTenant()
    const trustee = await newPerson()
    const group = await admin.create('groups', { name: uniqueName('group'), domain_id: 'default' })
    await admin.addToGroup(group.id, trustor.id)
    const ends = { trustor: trustor.id, trustee: trustee.id, project: project.id }
    const trust = await as(token).createTrust({ ...ends, roles: ['reader'], impersonation: true })
    const trustToken = await keystone().token(trustee, { trust: trust.id })
    expect(await groupsOf(trustToken, trustor.id)).toMatchObject({ body: { groups: [{ id: group.id }] } })
    expect(errorOf(await groupsOf(trustToken, trustee.id))).toMatchObject({ code: 403 })
  })

  test('are read with a token limited by access rules', async () => {
    const { as, newTenant, tryLogIn } = keystone()
    const { person, token } = await newTenant()
    const rules = [{ service: 'compute', path: '/v2.1/servers', method: 'GET' }]
    const fields = { name: uniqueName('credential'), access_rules: rules }
    const { id, secret } = await as(token).createApplicationCredential(person.id, fields)
    const limited = (await tryLogIn({ credential: id, secret })).headers.get('X-Subject-Token') ?? ''
    expect(await groupsOf(limited, person.id)).toMatchObject({ status: 200 })
  })
})
