import { expect, test } from 'vitest'
import { describeKeystone, idLikeName, uniqueName } from './contract-keystone.ts'
import { errorOf, factsOf } from './validation.ts'

describeKeystone('a name', (keystone) => {
  test('may be the id of another project, user or group', async () => {
    const { admin, newTenant } = keystone()
    const victim = await newTenant()
    const project = await admin.create('projects', { name: victim.project.id, domain_id: 'default' })
    expect(project.name).toBe(victim.project.id)
    expect(project.id).not.toBe(victim.project.id)
    const user = await admin.create('users', { name: victim.person.id, domain_id: 'default' })
    expect(user.name).toBe(victim.person.id)
    const name = idLikeName()
    expect(await admin.create('groups', { name, domain_id: 'default' })).toMatchObject({ name })
  })

  test('of a domain may be the id of another', async () => {
    const { admin } = keystone()
    const first = await admin.create('domains', { name: uniqueName('domain') })
    expect(await admin.create('domains', { name: first.id })).toMatchObject({ name: first.id })
  })

  test('may be the same in two domains, never in one', async () => {
    const { admin } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    for (const kind of ['users', 'projects', 'groups'] as const) {
      const name = uniqueName('name')
      const home = await admin.create(kind, { name, domain_id: 'default' })
      const other = await admin.create(kind, { name, domain_id: domain.id })
      expect(other.id).not.toBe(home.id)
      expect(await admin.find(kind, name, domain.id)).toMatchObject({ id: other.id })
      const key = kind.slice(0, -1)
      const again = { method: 'POST', path: `/${kind}`, body: { [key]: { name, domain_id: 'default' } } }
      expect(errorOf(await admin.send(again))).toMatchObject({ code: 409, title: 'Conflict' })
    }
  })

  test.each(['system:masters', 'platform-admins', 'a:b\nc', 'bob@example.com', 'basic:root', 'a\u202eb', '{role}'])(
    'may be anything: %j',
    async (strange) => {
      const { admin, newPerson, role } = keystone()
      // In a domain of its own, where nobody else has the name.
      const domain = await admin.create('domains', { name: uniqueName('domain') })
      const project = await admin.create('projects', { name: strange, domain_id: domain.id })
      const group = await admin.create('groups', { name: strange, domain_id: domain.id })
      expect(group.name).toBe(strange)
      const person = await newPerson({ domain: domain.id, name: strange })
      await admin.grant({ role: await role('member'), user: person.id, project: project.id })
      const token = await keystone().token(person, { project: project.id })
      expect(await factsOf(keystone(), token)).toMatchObject({ user: { name: strange }, project: { name: strange } })
    },
  )

  test('loses the blanks around it', async () => {
    const name = uniqueName('name')
    expect(await keystone().admin.create('projects', { name: ` ${name} `, domain_id: 'default' })).toMatchObject({
      name,
    })
  })

  test.each(['', ' ', 'x'.repeat(256)])('is refused with 400: %j', async (name) => {
    const body = { user: { name, domain_id: 'default' } }
    expect(errorOf(await keystone().admin.send({ method: 'POST', path: '/users', body }))).toMatchObject({ code: 400 })
  })
})
