import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { bundleOnce, type ClientStage, openClientStage } from '../../support/client-stage.ts'
import { type Federation, startFederation } from '../../support/federation/federation.ts'
import { describeKeystone, uniqueName } from './contract-keystone.ts'

describeKeystone('client-keystone-auth through an OpenID provider', (keystone) => {
  let federation: Federation
  let client: ClientStage
  beforeAll(async () => {
    const { connection, adminPassword } = keystone().target
    federation = await startFederation({
      keystone: { url: connection.url, adminPassword },
      idp: uniqueName('idp'),
      deviceIntervalSeconds: 0.05,
    })
  })
  afterAll(() => federation.stop())
  beforeEach(async () => {
    client = await openClientStage()
    federation.keystoneRequests.length = 0
    federation.providerRequests.length = 0
  })
  afterEach(() => client.close())

  const variables = () => ({
    OS_AUTH_URL: federation.keystoneUrl,
    OS_IDENTITY_PROVIDER: federation.idp,
    OS_PROTOCOL: federation.protocol,
    OS_DISCOVERY_ENDPOINT: federation.discoveryUrl,
    OS_CLIENT_ID: federation.clientId,
    OS_CLIENT_SECRET: federation.clientSecret,
    OS_OPENID_SCOPE: federation.scope,
    OS_PROJECT_ID: federation.project.id,
  })
  const userOf = async (env: Record<string, string>) => {
    const token = await client.token({ env })
    const headers = { 'X-Subject-Token': token }
    const { body } = await keystone().admin.send({ method: 'GET', path: '/auth/tokens', headers })
    return (body as { token: { user: { name: string }; project?: { id: string } } }).token
  }

  test.each([
    ['v3oidcpassword', { OS_AUTH_TYPE: 'v3oidcpassword' }],
    ['a user and password, with no auth type', {}],
  ])('logs in with %s, and gets a token for the project', async (_, type) => {
    const env = { ...variables(), ...type, OS_USERNAME: federation.user, OS_PASSWORD: federation.password }
    expect(await userOf(env)).toMatchObject({ user: { name: federation.user }, project: { id: federation.project.id } })
    expect(await client.token({ env })).not.toBe('')
    // The second call is served from the cache.
    expect(federation.providerRequests.filter((request) => request.startsWith('POST /token'))).toHaveLength(1)
  })

  test.each([
    ['v3oidcclientcredentials', { OS_AUTH_TYPE: 'v3oidcclientcredentials' }],
    ['a client secret, with no auth type', {}],
  ])('logs in with %s', async (_, type) => {
    expect(await userOf({ ...variables(), ...type })).toMatchObject({
      user: { name: `service-account-${federation.clientId}` },
      project: { id: federation.project.id },
    })
  })

  test('logs in with an access token that is given', async () => {
    const { OS_CLIENT_SECRET: _, OS_CLIENT_ID: __, ...rest } = variables()
    const discovery = (await (await fetch(federation.discoveryUrl)).json()) as { token_endpoint: string }
    const basic = [federation.clientId, federation.clientSecret].map(encodeURIComponent).join(':')
    const answer = await fetch(discovery.token_endpoint, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'password',
        username: federation.user,
        password: federation.password,
        scope: federation.scope,
      }),
    })
    const { access_token } = (await answer.json()) as { access_token: string }
    expect(await userOf({ ...rest, OS_ACCESS_TOKEN: access_token })).toMatchObject({ user: { name: federation.user } })
  })

  test('names the refusal of the provider, and no secret', async () => {
    const env = { ...variables(), OS_USERNAME: federation.user, OS_PASSWORD: 'wrong-password' }
    const { code, stdout, stderr } = await client.run({ env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/the OpenID provider at http.*\/token gives no access token: invalid_grant/)
    expect(stderr).not.toMatch(/wrong-password/)
    expect(stderr).not.toContain(federation.clientSecret)
  })

  test('names the project that a user of the provider has no role on', async () => {
    const env = { ...variables(), OS_USERNAME: federation.user, OS_PASSWORD: federation.password }
    const { stderr } = await client.run({ env: { ...env, OS_PROJECT_ID: 'f'.repeat(32) } })
    expect(stderr).toContain('it does not exist, or the user has no role on it')
  })

  test('asks for no device where nobody can confirm it', async () => {
    const { code, stderr } = await client.run({ env: { ...variables(), OS_AUTH_TYPE: 'v3oidcdeviceauthz' } })
    expect(code).toBe(1)
    expect(stderr).toContain('v3oidcdeviceauthz needs somebody who confirms a code')
    expect(federation.providerRequests).toEqual([])
  })

  test.each(['the confidential client', 'a public client'])('logs in by a device that %s asks for', async (which) => {
    const { OS_CLIENT_SECRET: secret, ...rest } = variables()
    const env = {
      ...rest,
      OS_AUTH_TYPE: 'v3oidcdeviceauthz',
      ...(which === 'a public client' ? { OS_CLIENT_ID: federation.publicClientId } : { OS_CLIENT_SECRET: secret }),
    }
    const { code, terminal } = await onTerminal(client, env, (shown) => {
      const userCode = /confirm the code (\S+)/.exec(shown)?.[1]
      if (userCode !== undefined) federation.approveDevice(userCode)
      return userCode !== undefined
    })
    expect(terminal).toMatch(/Open http\S+ and confirm the code \S+/)
    expect(code).toBe(0)
    expect(await userOf(env)).toMatchObject({ user: { name: federation.user } })
  })
})

/** Runs the client before a pseudo-terminal (util-linux's script) until it ends; `act` acts once on what is shown. */
async function onTerminal(client: ClientStage, env: Record<string, string>, act: (shown: string) => boolean) {
  const program = join(await bundleOnce(), 'client-keystone-auth.cjs')
  const child = spawn('script', ['-qec', `${process.execPath} ${program}; exit $?`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: client.home, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let terminal = ''
  let hasActed = false
  child.stdout.on('data', (chunk) => {
    terminal += chunk
    if (!hasActed) hasActed = act(terminal)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, terminal }
}
