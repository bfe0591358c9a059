import { describe, expect, it } from 'vitest'
import { useClient } from './client-suite.ts'

const suite = useClient()
const CONFIG = '.config/openstack'
const cloud = (url: string, extra = '') => `
clouds:
  demo:
    auth:
      auth_url: ${url}
      username: alice
      password: alice
      project_name: demo
      user_domain_name: Default
      project_domain_name: Default
${extra}`
const tokenIn = (body: string | undefined) => JSON.parse(body ?? '').auth

describe('a cloud of clouds.yaml', () => {
  it.each([
    ['OS_CLOUD', { OS_CLOUD: 'demo' }, []],
    ['--cloud', {}, ['--cloud', 'demo']],
    ['--os-cloud', {}, ['--os-cloud=demo']],
    ['being the only one', {}, []],
  ])('is chosen by %s', async (_, env, args) => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url))
    expect(await client.token({ env, args })).toMatch(/^gAAAA/)
    expect(await client.run({ args: ['status'] })).toMatchObject({
      stdout: expect.stringContaining(`cloud demo of ${client.home}/${CONFIG}/clouds.yaml`),
    })
  })

  it('that is not there is named with those that are', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url))
    const { code, stderr } = await client.run({ env: { OS_CLOUD: 'prod' } })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `client-keystone-auth: there is no cloud prod: ${client.home}/${CONFIG}/clouds.yaml has demo\n`,
    })
  })

  it('has to be named where there are several', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, `${cloud(keystone.url)}\n  other: {}`)
    const { code, stderr } = await client.run()
    expect(code).toBe(1)
    expect(stderr).toContain('has several clouds: choose one with --cloud or OS_CLOUD: demo, other')
  })

  it('is what status and logout are about, where one is named', async () => {
    const { client, alice, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url))
    await client.token({ env: { OS_CLOUD: 'demo' } })
    await client.token({ env: alice })
    const { stdout } = await client.run({ args: ['logout'], env: { OS_CLOUD: 'demo' } })
    expect(stdout.match(/is revoked/g)).toHaveLength(1)
    expect((await client.run({ args: ['status'] })).stdout).toContain('from      flags and variables')
    expect((await client.run({ args: ['status', '--cloud', 'demo'] })).stdout).toContain(
      'nobody is logged in to cloud demo',
    )
  })

  it('is completed by secure.yaml, which is merged deep', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url).replace('      password: alice\n', ''))
    client.write(`${CONFIG}/secure.yaml`, 'clouds: {demo: {auth: {password: alice}}}')
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
  })

  it('takes what it lacks from its profile in clouds-public.yaml', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url, '    profile: ours\n').replace(/ {6}auth_url: .*\n/, ''))
    client.write(`${CONFIG}/clouds-public.yaml`, `public-clouds: {ours: {auth: {auth_url: ${keystone.url}}}}`)
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
  })

  it('gives way to variables, and these to flags', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url))
    const env = { OS_CLOUD: 'demo', OS_PROJECT_ID: 'f'.repeat(32) }
    await client.run({ env })
    // The id of the stronger source beats the name of the weaker one.
    expect(tokenIn(keystone.bodies[0]).scope).toEqual({ project: { id: 'f'.repeat(32) } })
    keystone.bodies.length = 0
    await client.run({ env, args: ['--project-name', 'other'] })
    expect(tokenIn(keystone.bodies[0]).scope).toEqual({ project: { name: 'other', domain: { name: 'Default' } } })
  })

  it('keeps ids of digits, and exponents, as they are written', async () => {
    const { client, keystone } = suite()
    const id = '12345678e12345678901234567890123'
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url).replace('project_name: demo', `project_id: ${id}`))
    await client.run({ env: { OS_CLOUD: 'demo' } })
    expect(tokenIn(keystone.bodies[0]).scope).toEqual({ project: { id } })
  })

  it('may use anchors and merge keys', async () => {
    const { client, keystone } = suite()
    const merged = `
defaults: &defaults {auth_url: '${keystone.url}', user_domain_name: Default, project_domain_name: Default}
clouds: {demo: {auth: {<<: *defaults, username: alice, password: alice, project_name: demo}}}`
    client.write(`${CONFIG}/clouds.yaml`, merged)
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
  })

  it('of a file that is no YAML is refused with line and column, without its text', async () => {
    const { client } = suite()
    client.write(`${CONFIG}/clouds.yaml`, 'clouds:\n  demo:\n    auth: {password: s3cret-value\n')
    const { code, stderr } = await client.run({ env: { OS_CLOUD: 'demo' } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/clouds\.yaml line \d+, column \d+: is not YAML/)
    expect(stderr).not.toContain('s3cret-value')
  })

  it('is looked for in the working directory first, and then below the home directory', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, 'clouds: {}')
    client.write('project/clouds.yaml', cloud(keystone.url))
    expect(await client.token({ cwd: 'project', env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
    expect((await client.run({ env: { OS_CLOUD: 'demo' } })).stderr).toContain('holds no clouds')
  })

  it('is read anew when its file changes', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url))
    const token = await client.token({ env: { OS_CLOUD: 'demo' } })
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url).replaceAll('alice', 'bob'))
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).not.toBe(token)
    expect((await client.run({ args: ['status'] })).stdout).toMatch(/^bob|\nbob/)
  })

  it('names where a wrong value came from, by file and line', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(keystone.url).replace('password: alice', 'password: wrong-secret'))
    const { stderr } = await client.run({ env: { OS_CLOUD: 'demo' } })
    expect(stderr).toContain(`username "alice" (${client.home}/${CONFIG}/clouds.yaml line 6)`)
    expect(stderr).toContain(`password (${client.home}/${CONFIG}/clouds.yaml line 7)`)
    expect(stderr).not.toContain('wrong-secret')
  })
})

describe('a secret of a clouds file', () => {
  it.each([
    ['the URL, by a variable', { OS_AUTH_URL: 'FOREIGN' }, []],
    ['the URL, by a flag', {}, ['--keystone-url', 'FOREIGN']],
    ['the certificate authorities', { OS_CACERT: '/tmp/other-ca.pem' }, []],
    ['the verification of the certificate', {}, ['--insecure']],
  ])('is not sent when something else changes %s', async (_, variables, flags) => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud('http://127.0.0.1:9'))
    const replace = (text: string) => text.replace('FOREIGN', keystone.url)
    const env = {
      OS_CLOUD: 'demo',
      ...Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, replace(value)])),
    }
    const { code, stderr } = await client.run({ env, args: flags.map(replace) })
    expect(code).toBe(1)
    expect(stderr).toContain('--allow-auth-url-override')
    expect(keystone.requests).toEqual([])
  })

  it('is sent elsewhere with --allow-auth-url-override', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud('http://127.0.0.1:9'))
    const env = { OS_CLOUD: 'demo', OS_AUTH_URL: keystone.url }
    expect(await client.token({ env, args: ['--allow-auth-url-override'] })).toMatch(/^gAAAA/)
  })

  it('is sent where a variable says the same as the file', async () => {
    const { client, keystone } = suite()
    client.write(`${CONFIG}/clouds.yaml`, cloud(`${keystone.url}/v3`))
    expect(await client.token({ env: { OS_CLOUD: 'demo', OS_AUTH_URL: `${keystone.url}/` } })).toMatch(/^gAAAA/)
  })

  it.each([
    ['in the working directory', 'project', {}],
    ['that a variable names', '', { OS_CLIENT_CONFIG_FILE: 'project/clouds.yaml' }],
  ])('in secure.yaml does not complete a clouds.yaml %s', async (_, cwd, env) => {
    const { client, keystone } = suite()
    client.write('project/clouds.yaml', cloud(keystone.url).replace('      password: alice\n', ''))
    client.write(`${CONFIG}/secure.yaml`, 'clouds: {demo: {auth: {password: alice}}}')
    const { code, stderr } = await client.run({ cwd, env: { OS_CLOUD: 'demo', ...env } })
    expect(code).toBe(1)
    expect(stderr).toContain('both have to lie in one directory')
    expect(keystone.requests).toEqual([])
  })
})

describe('a clouds.yaml in the working directory', () => {
  it('gets no password of a variable, unless the user names the file', async () => {
    const { client, keystone } = suite()
    client.write('project/clouds.yaml', cloud(keystone.url).replace('      password: alice\n', ''))
    const env = { OS_CLOUD: 'demo', OS_PASSWORD: 'alice' }
    const { code, stderr } = await client.run({ cwd: 'project', env })
    expect(code).toBe(1)
    expect(stderr).toContain('name it by OS_CLIENT_CONFIG_FILE')
    expect(keystone.requests).toEqual([])
    const named = { ...env, OS_CLIENT_CONFIG_FILE: 'clouds.yaml' }
    expect(await client.token({ cwd: 'project', env: named })).toMatch(/^gAAAA/)
  })
})
