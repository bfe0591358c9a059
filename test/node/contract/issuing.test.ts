import { expect, test } from 'vitest'
import { call, type Reply } from '../../../src/dev/embedded-keystone/api-call.ts'
import { describeKeystone, uniqueName } from './contract-keystone.ts'
import { errorOf, tokenOf } from './validation.ts'

const REFUSED = {
  code: 401,
  message: 'The request you have made requires authentication.',
  title: 'Unauthorized',
}

describeKeystone('a request for a token', (keystone) => {
  const post = (body: unknown): Promise<Reply> =>
    call(keystone().connection, { method: 'POST', path: '/auth/tokens', body })
  const postAuth = (identity: unknown, scope?: unknown) =>
    post({ auth: { identity, ...(scope !== undefined && { scope }) } })

  test('is answered 201 with the token in a header', async () => {
    const { person, project } = await keystone().newTenant()
    const login = { user: person.id, password: person.password, scope: { project: project.id } }
    const reply = await keystone().tryLogIn(login)
    expect(reply.status).toBe(201)
    expect(reply.headers.get('X-Subject-Token')).toBeTruthy()
  })

  test('may name user, project and their domains by name', async () => {
    const { admin, newTenant } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    const { person, project } = await newTenant({ domain: domain.id })
    const user = { name: person.name, domain: { name: domain.name }, password: person.password }
    const scope = { project: { name: project.name, domain: { name: domain.name } } }
    const reply = await postAuth({ methods: ['password'], password: { user } }, scope)
    expect(tokenOf(reply)).toMatchObject({ user: { id: person.id }, project: { id: project.id } })
  })

  test.each([
    'a wrong password',
    'an unknown user',
    'an unknown project',
    'an unknown domain',
    'no role there',
    'an unknown trust',
  ])('is refused with the same 401 for %s', async (fault) => {
    const { person, project } = await keystone().newTenant()
    const other = await keystone().newTenant()
    const right = { user: person.id, password: person.password }
    const logins: Record<string, Parameters<typeof tryLogIn>[0]> = {
      'a wrong password': { ...right, password: 'wrong', scope: { project: project.id } },
      'an unknown user': { ...right, user: 'nobody', scope: { project: project.id } },
      'an unknown project': { ...right, scope: { project: 'nowhere' } },
      'an unknown domain': { ...right, scope: { domain: 'nowhere' } },
      'no role there': { ...right, scope: { project: other.project.id } },
      'an unknown trust': { ...right, scope: { trust: 'nothing' } },
    }
    const { tryLogIn } = keystone()
    const login = logins[fault]
    expect(login && errorOf(await tryLogIn(login))).toEqual(REFUSED)
  })

  test('is refused with 401 for a disabled user, project or domain', async () => {
    const { admin, newTenant, tryLogIn } = keystone()
    const domain = await admin.create('domains', { name: uniqueName('domain') })
    const tenants = [await newTenant(), await newTenant(), await newTenant({ domain: domain.id })] as const
    await admin.update('users', tenants[0].person.id, { enabled: false })
    await admin.update('projects', tenants[1].project.id, { enabled: false })
    await admin.update('domains', domain.id, { enabled: false })
    for (const { person, project } of tenants) {
      const login = { user: person.id, password: person.password, scope: { project: project.id } }
      expect(errorOf(await tryLogIn(login))).toEqual(REFUSED)
    }
  })

  test('without a scope is for the default project, where the user has a role', async () => {
    const { admin, newTenant, tryLogIn } = keystone()
    const { person, project } = await newTenant()
    await admin.update('users', person.id, { default_project_id: project.id })
    const { id: user, password } = person
    expect(tokenOf(await tryLogIn({ user, password }))).toMatchObject({ project: { id: project.id } })
    expect(tokenOf(await tryLogIn({ user, password, scope: 'unscoped' }))).not.toHaveProperty('project')
  })

  test('by an application credential takes its id, or its name and user', async () => {
    const { as, newTenant } = keystone()
    const { person, project, token } = await newTenant()
    const name = uniqueName('credential')
    const { id, secret } = await as(token).createApplicationCredential(person.id, { name })
    const user = { name: person.name, domain: { id: person.domain } }
    for (const credential of [{ id }, { name, user: { id: person.id } }, { name, user }]) {
      const application_credential = { ...credential, secret }
      const reply = await postAuth({ methods: ['application_credential'], application_credential })
      expect(tokenOf(reply)).toMatchObject({ project: { id: project.id }, application_credential: { id } })
    }
  })

  test('by an application credential must not ask for a scope', async () => {
    const { as, newTenant } = keystone()
    const { person, project, token } = await newTenant()
    const { id, secret } = await as(token).createApplicationCredential(person.id, { name: uniqueName('credential') })
    const identity = { methods: ['application_credential'], application_credential: { id, secret } }
    for (const scope of ['unscoped', { project: { id: project.id } }]) {
      expect(errorOf(await postAuth(identity, scope))).toMatchObject({ code: 401 })
    }
  })

  test('by an application credential with a wrong secret is 401, with an unknown id 404', async () => {
    const { as, newTenant, tryLogIn } = keystone()
    const { person, token } = await newTenant()
    const { id, secret } = await as(token).createApplicationCredential(person.id, { name: uniqueName('credential') })
    expect(errorOf(await tryLogIn({ credential: id, secret: 'wrong' }))).toEqual(REFUSED)
    expect(errorOf(await tryLogIn({ credential: 'nothing', secret }))).toMatchObject({ code: 404 })
  })

  test('by an application credential that expires soon gives a token that expires with it', async () => {
    const { as, newTenant, tryLogIn } = keystone()
    const { person, token } = await newTenant()
    const soon = new Date(Date.now() + 600_000).toISOString().slice(0, 19)
    const fields = { name: uniqueName('credential'), expires_at: soon }
    const { id, secret } = await as(token).createApplicationCredential(person.id, fields)
    // Without fraction and zone, unlike every other token.
    expect(tokenOf(await tryLogIn({ credential: id, secret }))).toMatchObject({ expires_at: soon })
  })

  test('by a token is refused for delegated ones', async () => {
    const { as, newPerson, newTenant, tryLogIn } = keystone()
    const { person, project, token } = await newTenant()
    const { id, secret } = await as(token).createApplicationCredential(person.id, { name: uniqueName('credential') })
    const byCredential = (await tryLogIn({ credential: id, secret })).headers.get('X-Subject-Token') ?? ''
    const trustee = await newPerson()
    const ends = { trustor: person.id, trustee: trustee.id, project: project.id }
    const trust = await as(token).createTrust({ ...ends, roles: ['reader'] })
    const byTrust = await keystone().token(trustee, { trust: trust.id })
    for (const delegated of [byCredential, byTrust]) {
      const reply = await tryLogIn({ token: delegated, scope: { project: project.id } })
      expect(errorOf(reply)).toMatchObject({ code: 403 })
    }
  })

  test('by a token that is none is 404', async () => {
    expect(errorOf(await keystone().tryLogIn({ token: 'garbage' }))).toMatchObject({ code: 404 })
  })

  test('by a trust is for its trustee only', async () => {
    const { as, newPerson, newTenant, tryLogIn } = keystone()
    const { person, project, token } = await newTenant()
    const trustee = await newPerson()
    const ends = { trustor: person.id, trustee: trustee.id, project: project.id }
    const trust = await as(token).createTrust({ ...ends, roles: ['reader'] })
    const scope = { trust: trust.id }
    const byTrustor = await tryLogIn({ user: person.id, password: person.password, scope })
    expect(errorOf(byTrustor)).toMatchObject({ code: 403 })
    const byTrustee = await tryLogIn({ user: trustee.id, password: trustee.password, scope })
    expect(byTrustee.status).toBe(201)
  })

  test.each([
    { fault: 'no JSON object', body: [] },
    { fault: 'no auth', body: {} },
    { fault: 'no identity', body: { auth: {} } },
    { fault: 'no data for a method', body: { auth: { identity: { methods: ['password'] } } } },
    {
      fault: 'a user name without a domain',
      body: { auth: { identity: { methods: ['password'], password: { user: { name: 'admin', password: 'x' } } } } },
    },
  ])('is 400 with $fault', async ({ body }) => {
    expect(errorOf(await post(body))).toMatchObject({ code: 400, title: 'Bad Request' })
  })

  test('is 400 with two scopes, or a project name without a domain', async () => {
    const { person, project } = await keystone().newTenant()
    const identity = { methods: ['password'], password: { user: { id: person.id, password: person.password } } }
    const two = { project: { id: project.id }, domain: { id: 'default' } }
    for (const scope of [two, { project: { name: project.name } }]) {
      expect(errorOf(await postAuth(identity, scope))).toMatchObject({ code: 400 })
    }
  })
})
