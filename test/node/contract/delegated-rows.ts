import { credentialToken, trustToken } from './delegated-tokens.ts'
import type { Row } from './validation-row.ts'

const RULES = [{ service: 'compute', path: '/v2.1/servers', method: 'GET' }]

/** The part of the table for tokens by application credentials and trusts. */
export const DELEGATED_ROWS: Row[] = [
  {
    when: 'its application credential is deleted',
    self: 404,
    service: 404,
    async token(keystone) {
      const { userId, credential, token } = await credentialToken(keystone, {})
      await keystone.admin.removeApplicationCredential(userId, credential)
      return token
    },
  },
  {
    when: 'its application credential has access rules',
    self: 404,
    service: 404,
    token: async (keystone) => (await credentialToken(keystone, { access_rules: RULES })).token,
  },
  {
    when: 'its application credential has access rules that the asker enforces',
    self: 200,
    service: 200,
    headers: { 'OpenStack-Identity-Access-Rules': '1.0' },
    token: async (keystone) => (await credentialToken(keystone, { access_rules: RULES })).token,
  },
  {
    when: 'it is from a trust',
    self: 200,
    service: 200,
    token: async (keystone) => (await trustToken(keystone, false)).token,
  },
  {
    when: 'it is from a trust that impersonates',
    // The asker is the trustor, the subject of the token the trustee.
    self: 403,
    service: 200,
    token: async (keystone) => (await trustToken(keystone, true)).token,
  },
  {
    when: 'its trust is deleted',
    self: 404,
    service: 404,
    async token(keystone) {
      const { trustor, trust, token } = await trustToken(keystone, false)
      await keystone.as(trustor.token).removeTrust(trust)
      return token
    },
  },
  {
    when: 'the trustor is disabled',
    self: 403,
    service: 403,
    async token(keystone) {
      const { trustor, token } = await trustToken(keystone, false)
      await keystone.admin.update('users', trustor.person.id, { enabled: false })
      return token
    },
  },
  {
    when: 'the trustor lost the role',
    self: 403,
    service: 403,
    async token(keystone) {
      const { trustor, token } = await trustToken(keystone, false)
      const { person, project } = trustor
      await keystone.admin.ungrant({ role: await keystone.role('member'), user: person.id, project: project.id })
      return token
    },
  },
]
