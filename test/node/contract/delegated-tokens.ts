import { type Keystone, uniqueName } from './contract-keystone.ts'

const FUTURE = '2099-01-01T00:00:00.000000Z'

/** A token by an application credential of a new tenant, made with these fields. */
export async function credentialToken(keystone: Keystone, fields: Record<string, unknown>) {
  const { person, token } = await keystone.newTenant()
  const name = uniqueName('credential')
  const { id, secret } = await keystone.as(token).createApplicationCredential(person.id, { name, ...fields })
  const reply = await keystone.tryLogIn({ credential: id, secret })
  return { userId: person.id, credential: id, token: reply.headers.get('X-Subject-Token') ?? '' }
}

/** A token by a trust between two new users. */
export async function trustToken(keystone: Keystone, impersonation: boolean) {
  const trustor = await keystone.newTenant()
  const trustee = await keystone.newPerson()
  const ends = { trustor: trustor.person.id, trustee: trustee.id, project: trustor.project.id }
  const terms = { roles: ['member'], impersonation, expiresAt: FUTURE }
  const { id: trust } = await keystone.as(trustor.token).createTrust({ ...ends, ...terms })
  return { trustor, trust, token: await keystone.token(trustee, { trust }) }
}
