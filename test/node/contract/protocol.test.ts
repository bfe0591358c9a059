import { expect, test } from 'vitest'
import { call } from '../../../src/dev/embedded-keystone/api-call.ts'
import { describeKeystone } from './contract-keystone.ts'
import { errorOf, validate } from './validation.ts'

describeKeystone('the Identity API', (keystone) => {
  test('tells its version at its root, with and without a slash', async () => {
    for (const path of ['', '/']) {
      const reply = await call(keystone().connection, { method: 'GET', path })
      expect(reply).toMatchObject({
        status: 200,
        body: { version: { id: expect.stringMatching(/^v3\./), status: 'stable' } },
      })
    }
  })

  test('is an HTML page and 404 at any other address', async () => {
    const { connection } = keystone()
    const root = { ...connection, url: new URL(connection.url).origin }
    for (const [base, path] of [
      [root, '/v4/auth/tokens'],
      [root, '/auth/tokens'],
      [connection, '/nowhere'],
    ] as const) {
      const reply = await call(base, { method: 'GET', path })
      expect(reply.status).toBe(404)
      expect(reply.headers.get('Content-Type')).toMatch(/^text\/html/)
    }
  })

  test('repeats the token asked about, also for HEAD, which has no body', async () => {
    const { token } = await keystone().newTenant()
    for (const method of ['GET', 'HEAD'] as const) {
      const reply = await validate(keystone(), token, { method })
      expect(reply.status).toBe(200)
      expect(reply.headers.get('X-Subject-Token')).toBe(token)
      if (method === 'HEAD') expect(reply.body).toBe('')
    }
  })

  test('answers 401 with a challenge when there is no token, or none that holds', async () => {
    const { connection, adminToken } = keystone()
    for (const headers of [{}, { 'X-Auth-Token': 'garbage' }]) {
      const subject = { 'X-Subject-Token': adminToken }
      const reply = await call(connection, { method: 'GET', path: '/auth/tokens', headers: { ...headers, ...subject } })
      expect(errorOf(reply)).toMatchObject({ code: 401, title: 'Unauthorized' })
      expect(reply.headers.get('WWW-Authenticate')).toBe(`Keystone uri="${connection.url}"`)
    }
  })

  test('answers a service that asks about no token 404, a user 403', async () => {
    const { adminToken, as, newTenant } = keystone()
    const request = { method: 'GET', path: '/auth/tokens' }
    expect(errorOf(await as(adminToken).send(request))).toMatchObject({ code: 404 })
    expect(errorOf(await as((await newTenant()).token).send(request))).toMatchObject({ code: 403 })
  })

  test("lets a user validate the user's own tokens, not those of others", async () => {
    const { person, token } = await keystone().newTenant()
    const unscoped = await keystone().token(person)
    expect(await validate(keystone(), token, { asker: unscoped })).toMatchObject({ status: 200 })
    const { token: other } = await keystone().newTenant()
    expect(errorOf(await validate(keystone(), other, { asker: token }))).toMatchObject({ code: 403 })
  })

  test('lets nobody but the user and an administrator revoke a token', async () => {
    const { as, newTenant } = keystone()
    const [{ token }, { token: other }] = [await newTenant(), await newTenant()]
    const revocation = { method: 'DELETE', path: '/auth/tokens', headers: { 'X-Subject-Token': token } }
    expect(errorOf(await as(other).send(revocation))).toMatchObject({ code: 403 })
    expect(await validate(keystone(), token)).toMatchObject({ status: 200 })
  })

  test('lets no plain user administer', async () => {
    const { as, newTenant } = keystone()
    const { person, token } = await newTenant()
    for (const request of [
      { method: 'GET', path: '/users' },
      { method: 'POST', path: '/users', body: { user: { name: 'x' } } },
      { method: 'PATCH', path: `/users/${person.id}`, body: { user: { enabled: true } } },
    ]) {
      expect(errorOf(await as(token).send(request))).toMatchObject({ code: 403, title: 'Forbidden' })
    }
  })

  test('answers 404 for what is not there', async () => {
    const { admin } = keystone()
    for (const kind of ['users', 'projects', 'groups', 'domains', 'roles']) {
      expect(errorOf(await admin.send({ method: 'GET', path: `/${kind}/nothing` }))).toMatchObject({ code: 404 })
    }
  })

  test('says what it garbage is by provider', async () => {
    const { adminToken, target } = keystone()
    const { message } = errorOf(await validate(keystone(), 'garbage', { asker: adminToken }))
    // With jws the message repeats the token: Keystone's messages must never be logged.
    const said = { fernet: 'Could not recognize Fernet token', jws: 'Could not find token: garbage.' }
    expect(message).toBe(said[target.provider])
  })
})
