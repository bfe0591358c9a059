import { expect } from 'vitest'
import { type Keystone, uniqueName } from './contract-keystone.ts'
import type { Row } from './validation-row.ts'

/** The part of the table for tokens by passwords. */
export const ROWS: Row[] = [
  {
    when: 'it is valid',
    self: 200,
    service: 200,
    token: async (keystone) => (await keystone.newTenant()).token,
  },
  { when: 'it is garbage', self: 401, service: 404, token: async () => 'garbage' },
  {
    when: 'its last byte was changed',
    self: 401,
    service: 404,
    async token(keystone) {
      const { token } = await keystone.newTenant()
      // Not the last character, some of whose bits mean nothing.
      return `${token.slice(0, -4)}${token.at(-4) === 'A' ? 'B' : 'A'}${token.slice(-3)}`
    },
  },
  {
    when: 'it expired',
    self: 401,
    service: 404,
    async token({ newTenant, target }) {
      const { person, project } = await newTenant()
      return target.expiredToken(person, project.id)
    },
  },
  {
    when: 'it was revoked by itself',
    self: 401,
    service: 404,
    async token(keystone) {
      const { token } = await keystone.newTenant()
      await revoke(keystone, token, token)
      return token
    },
  },
  {
    when: 'it was revoked by an administrator',
    self: 401,
    service: 404,
    async token(keystone) {
      const { token } = await keystone.newTenant()
      await revoke(keystone, keystone.adminToken, token)
      return token
    },
  },
  {
    when: 'the user is disabled',
    self: 401,
    service: 404,
    async token({ newTenant, admin }) {
      const { person, token } = await newTenant()
      await admin.update('users', person.id, { enabled: false })
      return token
    },
  },
  {
    when: 'the user was disabled and is enabled again',
    self: 401,
    service: 404,
    async token({ newTenant, admin }) {
      const { person, token } = await newTenant()
      await admin.update('users', person.id, { enabled: false })
      await admin.update('users', person.id, { enabled: true })
      return token
    },
  },
  {
    when: 'the user is deleted',
    self: 404,
    service: 404,
    async token({ newTenant, admin }) {
      const { person, token } = await newTenant()
      await admin.remove('users', person.id)
      return token
    },
  },
  {
    when: 'the user changed the password',
    self: 401,
    service: 404,
    async token({ newTenant, as }) {
      const { person, token } = await newTenant()
      const body = { user: { original_password: person.password, password: uniqueName('password') } }
      expect(await as(token).send({ method: 'POST', path: `/users/${person.id}/password`, body })).toMatchObject({
        status: 204,
      })
      return token
    },
  },
  {
    when: 'an administrator changed the password',
    self: 401,
    service: 404,
    async token({ newTenant, admin }) {
      const { person, token } = await newTenant()
      await admin.update('users', person.id, { password: uniqueName('password') })
      return token
    },
  },
  {
    when: 'the project is disabled',
    self: 404,
    service: 404,
    async token({ newTenant, admin }) {
      const { project, token } = await newTenant()
      await admin.update('projects', project.id, { enabled: false })
      return token
    },
  },
  {
    when: 'the project was disabled and is enabled again',
    self: 200,
    service: 200,
    async token({ newTenant, admin }) {
      const { project, token } = await newTenant()
      await admin.update('projects', project.id, { enabled: false })
      await admin.update('projects', project.id, { enabled: true })
      return token
    },
  },
  {
    when: 'the project is deleted',
    self: 404,
    service: 404,
    async token({ newTenant, admin }) {
      const { project, token } = await newTenant()
      await admin.remove('projects', project.id)
      return token
    },
  },
  {
    when: 'the last role on the project is removed',
    self: 401,
    service: 404,
    async token({ newTenant, admin, role }) {
      const { person, project, token } = await newTenant()
      await admin.ungrant({ role: await role('member'), user: person.id, project: project.id })
      return token
    },
  },
  {
    when: 'the role came from a group that the user left',
    self: 401,
    service: 404,
    async token(keystone) {
      const { admin, newPerson, newTenant, role } = keystone
      const [person, { project }] = [await newPerson(), await newTenant()]
      const group = await admin.create('groups', { name: uniqueName('group'), domain_id: 'default' })
      await admin.addToGroup(group.id, person.id)
      await admin.grant({ role: await role('member'), group: group.id, project: project.id })
      const token = await keystone.token(person, { project: project.id })
      await admin.removeFromGroup(group.id, person.id)
      return token
    },
  },
  {
    when: 'the last role on the system is removed',
    self: 401,
    service: 404,
    async token(keystone) {
      const { admin, newPerson, role } = keystone
      const person = await newPerson()
      const grant = { role: await role('reader'), user: person.id }
      await admin.grant(grant)
      const token = await keystone.token(person, 'system')
      await admin.ungrant(grant)
      return token
    },
  },
  {
    when: 'the last role on the domain is removed',
    self: 401,
    service: 404,
    async token(keystone) {
      const { admin, newPerson, role } = keystone
      const person = await newPerson()
      const grant = { role: await role('reader'), user: person.id, domain: 'default' }
      await admin.grant(grant)
      const token = await keystone.token(person, { domain: 'default' })
      await admin.ungrant(grant)
      return token
    },
  },
  {
    when: 'the domain of user and project is disabled',
    self: 404,
    service: 404,
    async token({ newTenant, admin }) {
      const domain = await admin.create('domains', { name: uniqueName('domain') })
      const { token } = await newTenant({ domain: domain.id })
      await admin.update('domains', domain.id, { enabled: false })
      return token
    },
  },
  {
    when: 'the domain of an unscoped user is disabled',
    self: 404,
    service: 404,
    async token(keystone) {
      const { admin, newPerson } = keystone
      const domain = await admin.create('domains', { name: uniqueName('domain') })
      const token = await keystone.token(await newPerson({ domain: domain.id }))
      await admin.update('domains', domain.id, { enabled: false })
      return token
    },
  },
  {
    when: 'it is scoped to a domain that is disabled, by a user of another one',
    // Keystone does not look at it once the token is issued.
    self: 200,
    service: 200,
    async token(keystone) {
      const { admin, newPerson, role } = keystone
      const domain = await admin.create('domains', { name: uniqueName('domain') })
      const person = await newPerson()
      await admin.grant({ role: await role('reader'), user: person.id, domain: domain.id })
      const token = await keystone.token(person, { domain: domain.id })
      await admin.update('domains', domain.id, { enabled: false })
      return token
    },
  },
]

/** Revokes the token, as the asker. */
async function revoke({ as }: Keystone, asker: string, token: string): Promise<void> {
  const headers = { 'X-Subject-Token': token }
  expect(await as(asker).send({ method: 'DELETE', path: '/auth/tokens', headers })).toMatchObject({ status: 204 })
}
