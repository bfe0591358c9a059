import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientStage, openClientStage } from '../../support/client-stage.ts'
import { describeKeystone, type Keystone, uniqueName } from './contract-keystone.ts'

let client: ClientStage
beforeEach(async () => {
  client = await openClientStage()
})
afterEach(() => client.close())

/** What Keystone says of the token that these variables log in for. */
async function logInWith(keystone: Keystone, env: Record<string, string>) {
  const token = await client.token({ env: { OS_AUTH_URL: keystone.target.connection.url, ...env } })
  const { body } = await keystone.as(keystone.adminToken).send({
    method: 'GET',
    path: '/auth/tokens',
    headers: { 'X-Subject-Token': token },
  })
  return (body as { token: Record<string, unknown> }).token
}

/** What the client says of a log-in that fails. */
async function failWith(keystone: Keystone, env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await client.run({
    env: { OS_AUTH_URL: keystone.target.connection.url, ...env },
  })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  return stderr
}

describeKeystone('client-keystone-auth', (keystone) => {
  describe('with a password', () => {
    test.each([
      ['user and project by id', (tenant) => ({ OS_USER_ID: tenant.person.id, OS_PROJECT_ID: tenant.project.id })],
      [
        'user and project by name, in a common domain by name',
        (tenant) => ({
          OS_USERNAME: tenant.person.name,
          OS_PROJECT_NAME: tenant.project.name,
          OS_DOMAIN_NAME: 'Default',
        }),
      ],
      [
        'user and project by name, in the default domain',
        (tenant) => ({
          OS_USERNAME: tenant.person.name,
          OS_PROJECT_NAME: tenant.project.name,
          OS_DEFAULT_DOMAIN: 'default',
        }),
      ],
      [
        'the domain of the user by id, which is then the project`s too',
        (tenant) => ({
          OS_USERNAME: tenant.person.name,
          OS_PROJECT_NAME: tenant.project.name,
          OS_USER_DOMAIN_ID: 'default',
        }),
      ],
    ] as readonly (readonly [
      string,
      (tenant: Awaited<ReturnType<Keystone['newTenant']>>) => Record<string, string>,
    ])[])('%s', async (_, variables) => {
      const tenant = await keystone().newTenant()
      const token = await logInWith(keystone(), { ...variables(tenant), OS_PASSWORD: tenant.person.password })
      expect(token).toMatchObject({
        user: { id: tenant.person.id },
        project: { id: tenant.project.id },
        methods: ['password'],
      })
    })

    test('project and user in different domains', async () => {
      const { admin, newPerson, role } = keystone()
      const person = await newPerson()
      const domain = await admin.create('domains', { name: uniqueName('domain') })
      const project = await admin.create('projects', { name: uniqueName('project'), domain_id: domain.id })
      await admin.grant({ role: await role('member'), user: person.id, project: project.id })
      const token = await logInWith(keystone(), {
        OS_USERNAME: person.name,
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PASSWORD: person.password,
        OS_PROJECT_NAME: project.name,
        OS_PROJECT_DOMAIN_NAME: domain.name,
      })
      expect(token).toMatchObject({ project: { id: project.id } })
    })

    test('without a project OS_DOMAIN_NAME is the domain of the user, and the token is unscoped, with a warning', async () => {
      const person = await keystone().newPerson()
      const env = { OS_USERNAME: person.name, OS_DOMAIN_NAME: 'Default', OS_PASSWORD: person.password }
      expect(await logInWith(keystone(), env)).not.toHaveProperty('project')
      const { stderr } = await client.run({
        env: { OS_AUTH_URL: keystone().target.connection.url, ...env },
        args: ['--force-refresh'],
      })
      expect(stderr).toContain('the token is for no project')
    })

    test('for a domain, and for the system', async () => {
      const env = {
        OS_USERNAME: 'admin',
        OS_USER_DOMAIN_ID: 'default',
        OS_PASSWORD: keystone().target.adminPassword,
      }
      expect(await logInWith(keystone(), { ...env, OS_SYSTEM_SCOPE: 'all' })).toMatchObject({ system: { all: true } })
      const person = await keystone().newPerson()
      await keystone().admin.grant({ role: await keystone().role('member'), user: person.id, domain: 'default' })
      const scoped = await logInWith(keystone(), {
        OS_USER_ID: person.id,
        OS_PASSWORD: person.password,
        OS_DOMAIN_ID: 'default',
      })
      expect(scoped).toMatchObject({ domain: { id: 'default' } })
    })

    test('that is wrong, or a user or domain that is not there, cannot be told apart', async () => {
      const { person, project } = await keystone().newTenant()
      const env = {
        OS_USERNAME: person.name,
        OS_PASSWORD: person.password,
        OS_PROJECT_ID: project.id,
        OS_USER_DOMAIN_ID: 'default',
      }
      for (const wrong of [
        { OS_PASSWORD: 'wrong-password' },
        { OS_USERNAME: 'nobody' },
        { OS_USER_DOMAIN_ID: 'nowhere' },
      ]) {
        const said = await failWith(keystone(), { ...env, ...wrong })
        expect(said).toContain('the user, the domain, the password or the passcode is wrong')
        for (const [variable, value] of Object.entries(wrong)) {
          expect(said).toContain(`(variable ${variable})`)
          if (variable === 'OS_PASSWORD') expect(said).not.toContain(value)
        }
      }
    })

    test('for a project that is not there, or that the user has no role on, names the project', async () => {
      const { person } = await keystone().newTenant()
      const other = await keystone().newTenant()
      const env = { OS_USER_ID: person.id, OS_PASSWORD: person.password }
      for (const project of ['f'.repeat(32), other.project.id]) {
        const said = await failWith(keystone(), { ...env, OS_PROJECT_ID: project })
        expect(said).toContain('it does not exist, or the user has no role on it')
        expect(said).toContain(`project id "${project}" (variable OS_PROJECT_ID)`)
      }
    })
  })

  describe('with an application credential', () => {
    test('by id, with no user, no project and no question', async () => {
      const { person, project, token } = await keystone().newTenant()
      const made = await keystone()
        .as(token)
        .createApplicationCredential(person.id, { name: uniqueName('credential') })
      const env = { OS_APPLICATION_CREDENTIAL_ID: made.id, OS_APPLICATION_CREDENTIAL_SECRET: made.secret }
      // A project among the variables is not asked for: the credential has its own.
      for (const more of [{}, { OS_PROJECT_NAME: 'other', OS_USERNAME: 'somebody' }])
        expect(await logInWith(keystone(), { ...env, ...more })).toMatchObject({
          project: { id: project.id },
          methods: ['application_credential'],
        })
    })

    test('by name and user', async () => {
      const { person, token } = await keystone().newTenant()
      const name = uniqueName('credential')
      const { secret } = await keystone().as(token).createApplicationCredential(person.id, { name })
      const env = {
        OS_APPLICATION_CREDENTIAL_NAME: name,
        OS_APPLICATION_CREDENTIAL_SECRET: secret,
        OS_USERNAME: person.name,
        OS_USER_DOMAIN_NAME: 'Default',
      }
      expect(await logInWith(keystone(), env)).toMatchObject({ user: { id: person.id } })
      expect(await failWith(keystone(), { ...env, OS_APPLICATION_CREDENTIAL_SECRET: 'wrong-secret' })).toMatch(
        /Keystone refuses the application credential: .*application credential name ".*" \(variable/,
      )
    })

    test('that has access rules warns that the webhook refuses its tokens', async () => {
      const { person, token } = await keystone().newTenant()
      const rules = [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }]
      const fields = { name: uniqueName('credential'), access_rules: rules }
      const made = await keystone().as(token).createApplicationCredential(person.id, fields)
      const { code, stderr } = await client.run({
        env: {
          OS_AUTH_URL: keystone().target.connection.url,
          OS_APPLICATION_CREDENTIAL_ID: made.id,
          OS_APPLICATION_CREDENTIAL_SECRET: made.secret,
        },
      })
      expect(code).toBe(0)
      expect(stderr).toContain('has access rules: keystone-edge-auth refuses its tokens')
    })
  })

  test('with a token, for another scope', async () => {
    const { person, project } = await keystone().newTenant()
    const unscoped = await keystone().token(person)
    const token = await logInWith(keystone(), { OS_TOKEN: unscoped, OS_PROJECT_ID: project.id })
    expect(token).toMatchObject({ project: { id: project.id }, user: { id: person.id } })
  })
})
