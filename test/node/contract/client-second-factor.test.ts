import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientStage, openClientStage } from '../../support/client-stage.ts'
import { newTotpSecret, totpAt } from '../../support/totp.ts'
import { describeKeystone, type Keystone } from './contract-keystone.ts'

let client: ClientStage
beforeEach(async () => {
  client = await openClientStage()
})
afterEach(() => client.close())

/** A member of a project who has a passcode, and needs it beside the password where `both` says so. */
async function newPasscodeUser(keystone: Keystone, { both }: { both: boolean }) {
  const { person, project } = await keystone.newTenant()
  const secret = newTotpSecret()
  const { status } = await keystone.admin.send({
    method: 'POST',
    path: '/credentials',
    body: { credential: { type: 'totp', blob: secret, user_id: person.id } },
  })
  expect(status).toBe(201)
  const rules = [['password', 'totp']]
  const options = { multi_factor_auth_enabled: true, multi_factor_auth_rules: rules }
  if (both) await keystone.admin.update('users', person.id, { options })
  const env = {
    OS_AUTH_URL: keystone.target.connection.url,
    OS_USERNAME: person.name,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_ID: project.id,
  }
  return { env, password: person.password, passcode: () => totpAt(secret, Date.now()) }
}

// The embedded Keystone has no passcodes.
describe.runIf(process.env.KEYSTONE_UNDER_TEST !== undefined)('a second factor', () => {
  describeKeystone('client-keystone-auth', (keystone) => {
    test('logs in with a passcode alone, with and without an auth type', async () => {
      for (const type of [{ OS_AUTH_TYPE: 'v3totp' }, {}]) {
        const { env, passcode } = await newPasscodeUser(keystone(), { both: false })
        expect(await client.token({ env: { ...env, ...type, OS_PASSCODE: passcode() } })).not.toBe('')
      }
    })

    test('logs in with password and passcode at once', async () => {
      const { env, password, passcode } = await newPasscodeUser(keystone(), { both: true })
      const types = { OS_AUTH_TYPE: 'v3multifactor', OS_AUTH_METHODS: 'v3password,v3totp' }
      const all = { ...env, ...types, OS_PASSWORD: password, OS_PASSCODE: passcode() }
      expect(await client.token({ env: all })).not.toBe('')
    })

    test('answers a receipt with the passcode', async () => {
      const { env, password, passcode } = await newPasscodeUser(keystone(), { both: true })
      const all = { ...env, OS_AUTH_TYPE: 'v3password', OS_PASSWORD: password, OS_PASSCODE: passcode() }
      expect(await client.token({ env: all })).not.toBe('')
    })

    test('that is asked for where nobody can be asked is named', async () => {
      const { env, password } = await newPasscodeUser(keystone(), { both: true })
      const { code, stderr } = await client.run({ env: { ...env, OS_PASSWORD: password } })
      expect(code).toBe(1)
      expect(stderr).toMatch(/asks for more than one method \((?:password \+ totp|totp \+ password)\): set OS_PASSCODE/)
    })

    test('that is wrong is refused', async () => {
      const { env, password } = await newPasscodeUser(keystone(), { both: true })
      const { code, stderr } = await client.run({ env: { ...env, OS_PASSWORD: password, OS_PASSCODE: '000000' } })
      expect(code).toBe(1)
      expect(stderr).toContain('the passcode is wrong')
      expect(stderr).not.toContain('000000')
    })
  })
})
