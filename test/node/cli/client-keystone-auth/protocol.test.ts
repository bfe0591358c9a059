import { describe, expect, it } from 'vitest'
import { useClient } from './client-suite.ts'

const suite = useClient()
const info = (version: string, spec: unknown = { interactive: false }) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({
    apiVersion: `client.authentication.k8s.io/${version}`,
    kind: 'ExecCredential',
    spec,
  }),
})

describe('an exec credential', () => {
  it.each(['v1', 'v1beta1'])('is in the version that kubectl asks for: %s', async (version) => {
    const { client, alice } = suite()
    const { code, stdout, stderr } = await client.run({ env: { ...alice, ...info(version) } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: `client.authentication.k8s.io/${version}`,
      kind: 'ExecCredential',
      status: {
        token: expect.stringMatching(/^gAAAA/),
        expirationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    })
  })

  it('is v1beta1 where KUBERNETES_EXEC_INFO is not set', async () => {
    const { client, alice } = suite()
    expect(JSON.parse((await client.run({ env: alice })).stdout).apiVersion).toBe(
      'client.authentication.k8s.io/v1beta1',
    )
  })

  it('expires two minutes before the token, by the life that Keystone gives it', async () => {
    const { client, alice } = suite()
    const beforeMs = Date.now()
    const { stdout } = await client.run({ env: alice })
    const lifeMs = Date.parse(JSON.parse(stdout).status.expirationTimestamp) - beforeMs
    // The embedded Keystone's tokens live an hour.
    expect(lifeMs).toBeGreaterThan(57 * 60_000)
    expect(lifeMs).toBeLessThanOrEqual(58 * 60_000 + 15_000)
  })

  it.each([
    ['no JSON', { KUBERNETES_EXEC_INFO: '{' }, 'KUBERNETES_EXEC_INFO is not JSON'],
    ['v1alpha1', info('v1alpha1'), 'client.authentication.k8s.io/v1 or'],
    ['no version', { KUBERNETES_EXEC_INFO: '{}' }, 'asks for no apiVersion'],
  ])('is refused for %s', async (_, env, message) => {
    const { client, alice, keystone } = suite()
    const { code, stdout, stderr } = await client.run({ env: { ...alice, ...env } })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(keystone.requests).toEqual([])
  })
})

describe('a failure', () => {
  it('is a non-zero exit code, one line on standard error and nothing on standard output', async () => {
    const { client, alice } = suite()
    const { code, stdout, stderr } = await client.run({ env: { ...alice, OS_PASSWORD: 'not-the-password' } })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/the user, the domain, the password or the passcode is wrong/)
    expect(stderr).toContain('username "alice" (variable OS_USERNAME)')
    expect(stderr).toContain('password (variable OS_PASSWORD)')
    expect(stderr).not.toContain('not-the-password')
  })

  it('of what is missing says what to set, and asks nobody without a terminal', async () => {
    const { client, alice } = suite()
    const { OS_PASSWORD: _, ...rest } = alice
    const { code, stderr } = await client.run({ env: rest })
    expect(code).toBe(1)
    expect(stderr).toContain('the password is missing: set OS_PASSWORD or password in clouds.yaml')
  })
})

describe('the flags of the Go program', () => {
  it.each([
    ['as they are', (url: string) => ['--keystone-url', url, '--domain-name=Default', '--user-name', 'alice']],
    ['with underscores', (url: string) => ['--keystone_url', url, '--domain_name', 'Default', '--user_name=alice']],
    [
      'with a log level',
      (url: string) => [
        '-v',
        '4',
        '--vmodule=x=1',
        '--keystone-url',
        url,
        '--domain-name=Default',
        '--user-name=alice',
        '-v=2',
        '-v9',
        '--log-flush-frequency=5s',
      ],
    ],
  ])('work %s', async (_, flags) => {
    const { client, keystone } = suite()
    const args = [...flags(`${keystone.url}/v3/`), '--project-name', 'demo', '--password', 'alice']
    const { code, stdout, stderr } = await client.run({ args })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).status.token).toMatch(/^gAAAA/)
    // A secret in argv is taken, with a warning.
    expect(stderr).toMatch(/every user of this machine can read --password/)
    expect(stderr).not.toContain('alice')
  })

  it('win over variables, and an empty flag takes a variable away', async () => {
    const { client, alice, keystone } = suite()
    await client.token({ args: ['--project-name='], env: alice })
    expect(JSON.parse(keystone.bodies.at(-1) ?? '').auth).not.toHaveProperty('scope')
  })

  it('that do not exist are refused without their value', async () => {
    const { client } = suite()
    const { code, stderr } = await client.run({ args: ['--pasword=s3cret-value'] })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'client-keystone-auth: there is no flag --pasword: --help lists them\n',
    })
    const positional = await client.run({ args: ['--password', 'two', 'words-of-a-secret'] })
    expect(positional.code).toBe(1)
    expect(positional.stderr).not.toContain('words-of-a-secret')
  })

  it('are listed by --help, with the names of variables and no value', async () => {
    const { client } = suite()
    const secrets = { OS_PASSWORD: 'pass-value', OS_TOKEN: 'token-value', OS_AUTH_URL: 'http://url-value' }
    const { code, stdout } = await client.run({ args: ['--help'], env: secrets })
    expect(code).toBe(0)
    for (const flag of [
      'keystone-url',
      'domain-name',
      'user-name',
      'project-name',
      'password',
      'cert',
      'key',
      'cacert',
      'application-credential-id',
      'application-credential-name',
      'application-credential-secret',
    ])
      expect(stdout).toContain(`--${flag} `)
    expect(stdout).toContain('OS_PASSWORD')
    expect(stdout).not.toMatch(/pass-value|token-value|url-value/)
  })
})
