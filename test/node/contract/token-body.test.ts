import { expect, test } from 'vitest'
import { describeKeystone, uniqueName } from './contract-keystone.ts'
import { factsOf, tokenOf, validate } from './validation.ts'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/
/** 16 bytes in base64url. */
const AUDIT_ID = /^[\w-]{22}$/
const DEFAULT = { id: 'default', name: 'Default' }

const roleNames = (token: Record<string, unknown>) => {
  const roles = Array.isArray(token.roles) ? token.roles : []
  return roles.map((role: { name: string }) => role.name).sort()
}

describeKeystone('the body of a token', (keystone) => {
  test('names user and project with their domains, and the roles', async () => {
    const { person, project, token } = await keystone().newTenant()
    const facts = await factsOf(keystone(), token)
    expect(facts).toEqual({
      methods: ['password'],
      user: { id: person.id, name: person.name, domain: DEFAULT, password_expires_at: null },
      audit_ids: [expect.stringMatching(AUDIT_ID)],
      issued_at: expect.stringMatching(TIME),
      expires_at: expect.stringMatching(TIME),
      project: { id: project.id, name: project.name, domain: DEFAULT },
      is_domain: false,
      roles: expect.any(Array),
    })
    // `member` implies `reader`.
    expect(roleNames(facts)).toEqual(['member', 'reader'])
    expect(facts.roles).toContainEqual({ id: await keystone().role('member'), name: 'member' })
  })

  test('is the same when the token is issued', async () => {
    const { person, project } = await keystone().newTenant()
    const login = { user: person.id, password: person.password, scope: { project: project.id } }
    const issued = await keystone().tryLogIn(login)
    const facts = await factsOf(keystone(), issued.headers.get('X-Subject-Token') ?? '')
    expect({ ...tokenOf(issued), roles: [] }).toEqual({ ...facts, roles: [] })
  })

  test('carries the service catalog unless asked not to', async () => {
    const { token } = await keystone().newTenant()
    expect(tokenOf(await validate(keystone(), token, { nocatalog: false }))).toHaveProperty('catalog')
    expect(tokenOf(await validate(keystone(), token))).not.toHaveProperty('catalog')
  })

  test('has no scope and no roles when unscoped, nor a catalog', async () => {
    const token = await keystone().token(await keystone().newPerson())
    const facts = tokenOf(await validate(keystone(), token, { nocatalog: false }))
    expect(Object.keys(facts).sort()).toEqual(['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'])
  })

  test('has a domain and roles when scoped to a domain', async () => {
    const { admin, newPerson, role } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    const person = await newPerson()
    await admin.grant({ role: await role('reader'), user: person.id, domain: domain.id })
    const facts = await factsOf(keystone(), await keystone().token(person, { domain: domain.id }))
    expect(facts).toMatchObject({ domain: { id: domain.id, name: domain.name } })
    expect(roleNames(facts)).toEqual(['reader'])
    expect(facts).not.toHaveProperty('project')
    expect(facts).not.toHaveProperty('is_domain')
  })

  test('has the system and roles when scoped to the system', async () => {
    const facts = await factsOf(keystone(), keystone().adminToken)
    expect(facts).toMatchObject({ system: { all: true } })
    expect(roleNames(facts)).toEqual(['admin', 'member', 'reader'])
    expect(facts).not.toHaveProperty('project')
  })

  test('tells a project and a user of another domain by it', async () => {
    const { admin, newTenant } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    const { token } = await newTenant({ domain: domain.id })
    const facts = await factsOf(keystone(), token)
    expect(facts).toMatchObject({ user: { domain }, project: { domain } })
  })

  test('names the application credential, restricted unless it is not', async () => {
    const { person, project, token } = await keystone().newTenant()
    for (const unrestricted of [undefined, false, true]) {
      const name = uniqueName('credential')
      const fields = { name, ...(unrestricted !== undefined && { unrestricted }) }
      const { id, secret } = await keystone().as(token).createApplicationCredential(person.id, fields)
      const issued = await keystone().tryLogIn({ credential: id, secret })
      const facts = await factsOf(keystone(), issued.headers.get('X-Subject-Token') ?? '')
      expect(facts).toMatchObject({ methods: ['application_credential'], project: { id: project.id } })
      expect(facts.application_credential).toEqual({ id, name, restricted: unrestricted !== true })
    }
  })

  test('lists the access rules of an application credential', async () => {
    const { person, token } = await keystone().newTenant()
    const rule = { service: 'compute', path: '/v2.1/servers', method: 'GET' }
    const fields = { name: uniqueName('credential'), access_rules: [rule] }
    const { id, secret } = await keystone().as(token).createApplicationCredential(person.id, fields)
    const issued = await keystone().tryLogIn({ credential: id, secret })
    expect(tokenOf(issued)).toMatchObject({ application_credential: { access_rules: [rule] } })
  })

  test('holds only those roles of an application credential that it was given', async () => {
    const { person, token } = await keystone().newTenant()
    const fields = { name: uniqueName('credential'), roles: [{ name: 'reader' }] }
    const { id, secret } = await keystone().as(token).createApplicationCredential(person.id, fields)
    expect(roleNames(tokenOf(await keystone().tryLogIn({ credential: id, secret })))).toEqual(['reader'])
  })

  test.each([false, true])('tells trustor and trustee of a trust (impersonation %s)', async (impersonation) => {
    const { person, project, token } = await keystone().newTenant()
    const trustee = await keystone().newPerson()
    const ends = { trustor: person.id, trustee: trustee.id, project: project.id }
    const { id } = await keystone()
      .as(token)
      .createTrust({ ...ends, roles: ['reader'], impersonation })
    const trustToken = await keystone().token(trustee, { trust: id })
    const facts = tokenOf(await validate(keystone(), trustToken, { asker: keystone().adminToken }))
    expect(facts).toMatchObject({
      'OS-TRUST:trust': { id, impersonation, trustor_user: { id: person.id }, trustee_user: { id: trustee.id } },
      project: { id: project.id },
      user: { id: impersonation ? person.id : trustee.id },
    })
    expect(facts).not.toHaveProperty('is_domain')
    expect(roleNames(facts)).toEqual(['reader'])
  })

  test('keeps the first audit id, the methods and the expiry along a chain of tokens', async () => {
    const { person, project } = await keystone().newTenant()
    const first = await keystone().token(person)
    const facts = await factsOf(keystone(), first)
    const second = await keystone().tryLogIn({ token: first, scope: { project: project.id } })
    const third = await keystone().tryLogIn({
      token: second.headers.get('X-Subject-Token') ?? '',
      scope: { project: project.id },
    })
    for (const reply of [second, third]) {
      const next = tokenOf(reply)
      expect(next.audit_ids).toEqual([expect.stringMatching(AUDIT_ID), ...[facts.audit_ids].flat()])
      expect([next.methods].flat().sort()).toEqual(['password', 'token'])
      expect(next.expires_at).toBe(facts.expires_at)
    }
  })

  test('shows the roles of now, not of when it was issued', async () => {
    const { admin, newTenant, role } = keystone()
    const { person, project, token } = await newTenant({ role: 'reader' })
    const grant = { role: await role('member'), user: person.id, project: project.id }
    expect(roleNames(await factsOf(keystone(), token))).toEqual(['reader'])
    await admin.grant(grant)
    expect(roleNames(await factsOf(keystone(), token))).toEqual(['member', 'reader'])
    await admin.ungrant(grant)
    expect(roleNames(await factsOf(keystone(), token))).toEqual(['reader'])
  })

  test('shows the names of now, not of when it was issued', async () => {
    const { admin, newTenant } = keystone()
    const { person, project, token } = await newTenant()
    const [user, renamed] = [uniqueName('renamed'), uniqueName('renamed')]
    await admin.update('users', person.id, { name: user })
    await admin.update('projects', project.id, { name: renamed })
    expect(await factsOf(keystone(), token)).toMatchObject({ user: { name: user }, project: { name: renamed } })
  })
})
