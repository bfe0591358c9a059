import { Buffer } from 'node:buffer'
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { describeKeystone, type Keystone, uniqueName } from './contract-keystone.ts'
import { factsOf } from './validation.ts'

/** Tokens of every scope that the API gives. */
async function tokens(keystone: Keystone) {
  const { person, project, token } = await keystone.newTenant()
  await keystone.admin.grant({ role: await keystone.role('reader'), user: person.id, domain: 'default' })
  const fields = { name: uniqueName('credential') }
  const { id, secret } = await keystone.as(token).createApplicationCredential(person.id, fields)
  const credential = await keystone.tryLogIn({ credential: id, secret })
  const trustee = await keystone.newPerson()
  const ends = { trustor: person.id, trustee: trustee.id, project: project.id }
  const trust = await keystone.as(token).createTrust({ ...ends, roles: ['reader'] })
  return {
    ids: { user: person.id, project: project.id, credential: id, trust: trust.id, trustee: trustee.id },
    unscoped: await keystone.token(person),
    project: token,
    domain: await keystone.token(person, { domain: 'default' }),
    system: keystone.adminToken,
    credential: credential.headers.get('X-Subject-Token') ?? '',
    trust: await keystone.token(trustee, { trust: trust.id }),
  }
}

const seconds = (time: unknown) => Date.parse(String(time)) / 1000

describeKeystone('the format of a token', (keystone, provider) => {
  if (provider === 'fernet') fernetTests(keystone)
  else jwsTests(keystone)
})

function fernetTests(keystone: () => Keystone): void {
  test('is fernet: base64url without padding, with the issue time in the clear', async () => {
    const { ids: _, ...all } = await tokens(keystone())
    for (const token of Object.values(all)) {
      expect(token).toMatch(/^gAAAAA[\w-]+$/)
      const bytes = Buffer.from(token, 'base64url')
      expect(bytes[0]).toBe(0x80)
      expect((bytes.length - 57) % 16).toBe(0)
      const { issued_at: issuedAt } = await factsOf(keystone(), token)
      expect(Number(bytes.readBigUInt64BE(1))).toBe(seconds(issuedAt))
    }
  })

  test('is fernet: as long as the scope needs', async () => {
    const { ids: _, ...all } = await tokens(keystone())
    const lengths = Object.fromEntries(Object.entries(all).map(([scope, token]) => [scope, token.length]))
    expect(lengths).toEqual({ unscoped: 162, project: 183, domain: 162, system: 162, credential: 204, trust: 204 })
  })

  test('is fernet: taken with its padding too', async () => {
    const { token } = await keystone().newTenant()
    expect(await factsOf(keystone(), token.padEnd(184, '='))).toHaveProperty('user')
  })
}

function jwsTests(keystone: () => Keystone): void {
  test('is jws: ES256, with exactly the claims of its scope', async () => {
    const { ids, ...all } = await tokens(keystone())
    const claims = (userId: string, more: Record<string, string>) => ({
      sub: userId,
      iat: expect.any(Number),
      exp: expect.any(Number),
      openstack_methods: ['password'],
      openstack_audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
      ...more,
    })
    for (const token of Object.values(all)) expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT' })
    expect(decodeJwt(all.unscoped)).toEqual(claims(ids.user, {}))
    expect(decodeJwt(all.project)).toEqual(claims(ids.user, { openstack_project_id: ids.project }))
    expect(decodeJwt(all.domain)).toEqual(claims(ids.user, { openstack_domain_id: 'default' }))
    expect(decodeJwt(all.system)).toMatchObject({ openstack_system: 'all' })
    expect(decodeJwt(all.credential)).toEqual({
      ...claims(ids.user, { openstack_project_id: ids.project, openstack_app_cred_id: ids.credential }),
      openstack_methods: ['application_credential'],
    })
    expect(decodeJwt(all.trust)).toEqual(
      claims(ids.trustee, { openstack_project_id: ids.project, openstack_trust_id: ids.trust }),
    )
  })

  test('is jws: of some 300 to 520 characters, with the times of the body', async () => {
    const { token } = await keystone().newTenant()
    expect(token.length).toBeGreaterThan(400)
    expect(token.length).toBeLessThan(420)
    const facts = await factsOf(keystone(), token)
    expect(decodeJwt(token)).toMatchObject({ iat: seconds(facts.issued_at), exp: seconds(facts.expires_at) })
  })

  test('is jws: verified by the public key, a PEM', async () => {
    const { jwsPublicKeyPem } = keystone().target
    expect(jwsPublicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    const { token } = await keystone().newTenant()
    const key = await importSPKI(jwsPublicKeyPem ?? '', 'ES256')
    await expect(jwtVerify(token, key, { algorithms: ['ES256'] })).resolves.toBeDefined()
  })
}
