import { afterAll, beforeAll, expect, test } from 'vitest'
import { call } from '../../../src/dev/embedded-keystone/api-call.ts'
import { type Federation, startFederation } from '../../support/federation/federation.ts'
import { describeKeystone, uniqueName } from './contract-keystone.ts'
import {
  accessToken,
  DEVICE_GRANT,
  exchange,
  federatedLogin,
  federatedToken,
  startDevice,
  usersAccessToken,
} from './federation.ts'
import { errorOf, factsOf, tokenOf } from './validation.ts'

describeKeystone('a federated login', (keystone) => {
  let federation: Federation
  beforeAll(async () => {
    const { connection, adminPassword } = keystone().target
    federation = await startFederation({ keystone: { url: connection.url, adminPassword }, idp: uniqueName('idp') })
  })
  afterAll(() => federation?.stop())

  test('gives an unscoped token for an access token, by POST and by GET', async () => {
    const token = await usersAccessToken(federation)
    for (const method of ['POST', 'GET'] as const) {
      const reply = await exchange(federation, token, method)
      expect(reply.status).toBe(201)
      const facts = await factsOf(keystone(), reply.headers.get('X-Subject-Token') ?? '')
      expect(facts).toEqual(tokenOf(reply))
      expect(Object.keys(facts).sort()).toEqual(['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'])
      expect(facts).toMatchObject({ methods: ['openid'] })
      expect(facts.user).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        name: federation.user,
        domain: federation.domain,
        'OS-FEDERATION': {
          groups: [{ id: federation.group.id }],
          identity_provider: { id: federation.idp },
          protocol: { id: 'openid' },
        },
      })
    }
  })

  test('gives a token that is rescoped to a project by the roles of the mapped group, with the same end', async () => {
    const { target, tryLogIn } = keystone()
    const unscoped = await federatedToken(federation)
    const facts = await factsOf(keystone(), unscoped)
    const own = { method: 'GET', path: '/auth/projects', token: unscoped }
    expect(await call(target.connection, own)).toMatchObject({ body: { projects: [{ id: federation.project.id }] } })
    const scoped = tokenOf(await tryLogIn({ token: unscoped, scope: { project: federation.project.id } }))
    const { user, expires_at, audit_ids } = facts
    expect(scoped).toMatchObject({ user, expires_at, project: { id: federation.project.id } })
    // Unlike the tokens of local users, it does not carry on the chain of audit ids.
    expect(scoped.audit_ids).toEqual([expect.any(String)])
    expect(scoped.audit_ids).not.toEqual(audit_ids)
    expect([scoped.methods].flat().sort()).toEqual(['openid', 'token'])
    expect([scoped.roles].flat()).toContainEqual(expect.objectContaining({ name: 'member' }))
    const other = await keystone().newTenant()
    const refused = await tryLogIn({ token: unscoped, scope: { project: other.project.id } })
    expect(errorOf(refused)).toMatchObject({ code: 401 })
  })

  test('is the same user for a device that the user approves', async () => {
    const { device_code, user_code } = await startDevice(federation)
    federation.approveDevice(user_code)
    const reply = await exchange(federation, await accessToken(federation, { grant_type: DEVICE_GRANT, device_code }))
    const { user } = await factsOf(keystone(), await federatedToken(federation))
    expect(tokenOf(reply).user).toEqual(user)
  })

  test('is a user of its own for a client that logs in for itself', async () => {
    const reply = await exchange(federation, await accessToken(federation, { grant_type: 'client_credentials' }))
    expect(tokenOf(reply)).toMatchObject({ user: { name: `service-account-${federation.clientId}` } })
  })

  test('is refused by the proxy without an access token that holds', async () => {
    const bearer = `Bearer ${await usersAccessToken(federation)}`
    for (const Authorization of ['', 'Bearer garbage', `${bearer}x`, bearer.replace('Bearer', 'Basic')]) {
      const reply = await federatedLogin(federation, { Authorization })
      expect([reply.status, reply.headers.get('WWW-Authenticate')]).toEqual([401, expect.stringMatching(/^Bearer /)])
    }
  })

  test('is not had by headers that only the proxy may set', async () => {
    const { id } = (await factsOf(keystone(), await federatedToken(federation))).user as { id: string }
    const issuer = new URL(federation.discoveryUrl).origin
    const assertion = { 'OIDC-ISS': issuer, OIDC_sub: 'admin', 'oidc-preferred_username': 'admin' }
    const { idp, protocol, keystoneUrl: url } = federation
    const identity = { methods: [protocol], [protocol]: { identity_provider: idp, protocol } }
    const connection = { url, fetch: (request: Request) => fetch(request) }
    const login = { method: 'POST', path: '/auth/tokens', body: { auth: { identity } }, headers: assertion }
    expect(errorOf(await call(connection, login))).toMatchObject({ code: 401 })
    const Authorization = `Bearer ${await usersAccessToken(federation)}`
    const reply = await federatedLogin(federation, { ...assertion, Authorization })
    expect(tokenOf(reply)).toMatchObject({ user: { id, name: federation.user } })
  })

  test('is 404 for an identity provider that does not exist, 401 for a protocol that does not', async () => {
    const { connection } = keystone().target
    for (const [path, code] of [
      ['/identity_providers/none/protocols/openid/auth', 404],
      [`/identity_providers/${federation.idp}/protocols/none/auth`, 401],
    ] as const) {
      const reply = await call(connection, { method: 'POST', path: `/OS-FEDERATION${path}` })
      expect(errorOf(reply)).toMatchObject({ code })
    }
  })
})
