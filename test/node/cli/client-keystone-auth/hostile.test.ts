import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startFrontEnd } from '../../../support/client-stage.ts'
import { useClient } from './client-suite.ts'

const suite = useClient()
const SECRET = 'correct-horse-battery-staple'

describe('hostile surroundings', () => {
  it('a kubeconfig that overrides OS_AUTH_URL gets neither the secret of a cloud nor the token of another Keystone', async () => {
    const { client, alice, keystone } = suite()
    const foreign = await startFrontEnd(keystone.url)
    try {
      await client.token({ env: alice })
      const auth = `{auth_url: '${keystone.url}', username: alice, password: alice, project_name: demo, domain_name: Default}`
      client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}}}`)
      const { code, stdout } = await client.run({ env: { OS_CLOUD: 'demo', OS_AUTH_URL: foreign.url } })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      for (const variable of ['OS_ACCESS_TOKEN_ENDPOINT', 'OS_DISCOVERY_ENDPOINT', 'OS_DEVICE_AUTHORIZATION_ENDPOINT'])
        expect((await client.run({ env: { OS_CLOUD: 'demo', [variable]: foreign.url } })).code).toBe(1)
      expect(foreign.requests).toEqual([])
      // A token that is cached for one Keystone is never served for another.
      const token = await client.token({ env: alice })
      expect(await client.token({ env: { ...alice, OS_AUTH_URL: foreign.url } })).not.toBe(token)
    } finally {
      await foreign.close()
    }
  })

  it('a region that a kubeconfig sets does not move the URL of a cloud that has a place for one', async () => {
    const { client, keystone } = suite()
    const auth = `{auth_url: 'http://{region_name}', username: alice, password: alice, project_name: demo, domain_name: Default}`
    client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}, region_name: '127.0.0.1:9'}}`)
    const region = new URL(keystone.url).host
    const { code, stderr } = await client.run({ env: { OS_CLOUD: 'demo', OS_REGION_NAME: region } })
    expect(code).toBe(1)
    expect(stderr).toContain('variable OS_REGION_NAME changes region_name')
    expect(keystone.requests).toEqual([])
  })

  it('a clouds.yaml of the working directory with a foreign URL gets no secret of the user', async () => {
    const { client, keystone } = suite()
    const entry = (url: string, password: string) =>
      `clouds: {demo: {auth: {auth_url: '${url}', username: alice${password}, project_name: demo, domain_name: Default}}}`
    client.write('.config/openstack/clouds.yaml', entry('http://127.0.0.1:9', `, password: ${SECRET}`))
    client.write('.config/openstack/secure.yaml', `clouds: {demo: {auth: {password: ${SECRET}}}}`)
    client.write('repository/clouds.yaml', entry(keystone.url, ''))
    for (const env of [{ OS_CLOUD: 'demo' }, { OS_CLOUD: 'demo', OS_PASSWORD: SECRET }, { OS_PASSWORD: SECRET }]) {
      const { code, stderr } = await client.run({ cwd: 'repository', env })
      expect(code).toBe(1)
      expect(stderr).not.toContain(SECRET)
    }
    expect(keystone.requests).toEqual([])
  })

  it.each([
    ['a clouds-public.yaml of the working directory', 'repository', {}],
    ['a clouds-public.yaml that a variable names', '', { OS_CLIENT_VENDOR_FILE: 'repository/clouds-public.yaml' }],
  ])('%s does not say where the secrets of a clouds.yaml go', async (_, cwd, env) => {
    const { client, keystone } = suite()
    const auth = `{username: alice, password: ${SECRET}, project_name: demo, domain_name: Default}`
    client.write('.config/openstack/clouds.yaml', `clouds: {demo: {profile: ours, auth: ${auth}}}`)
    client.write('repository/clouds-public.yaml', `public-clouds: {ours: {auth: {auth_url: '${keystone.url}'}}}`)
    const { code, stderr } = await client.run({ cwd, env: { OS_CLOUD: 'demo', ...env } })
    expect(code).toBe(1)
    expect(stderr).toContain('both have to lie in one directory')
    expect(keystone.requests).toEqual([])
  })

  it('a secure.yaml of the working directory does not say where the secrets of a clouds.yaml go', async () => {
    const { client, keystone } = suite()
    const auth = `{auth_url: 'http://127.0.0.1:9', username: alice, password: ${SECRET}, domain_name: Default}`
    client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}}}`)
    client.write('repository/secure.yaml', `clouds: {demo: {auth: {auth_url: '${keystone.url}'}}}`)
    expect((await client.run({ cwd: 'repository', env: { OS_CLOUD: 'demo' } })).code).toBe(1)
    expect(keystone.requests).toEqual([])
  })

  it('XDG_CONFIG_HOME of a kubeconfig does not say where the secrets of a secure.yaml go', async () => {
    const { client, keystone } = suite()
    client.write('.config/openstack/secure.yaml', `clouds: {demo: {auth: {password: ${SECRET}}}}`)
    const auth = `{auth_url: '${keystone.url}', username: alice, domain_name: Default}`
    client.write('repository/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}}}`)
    const env = { OS_CLOUD: 'demo', XDG_CONFIG_HOME: join(client.home, 'repository') }
    expect((await client.run({ env })).code).toBe(1)
    expect(keystone.requests).toEqual([])
  })

  it('what Keystone says cannot change the terminal or show the secret', async () => {
    const { client, alice, keystone } = suite()
    keystone.answer = (_, response) => {
      const message = `\u001b[2J\u0007you sent ${SECRET}\r\nclient-keystone-auth: all is well \u202e`
      response.writeHead(401, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ error: { code: 401, title: 'Unauthorized', message } }))
    }
    const { code, stderr } = await client.run({ env: { ...alice, OS_PASSWORD: SECRET } })
    expect(code).toBe(1)
    expect(stderr).not.toContain(SECRET)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(stderr.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it.each([SECRET, 'quote"backslash\\and space'])(
    'a server that repeats the request does not bring %j to the screen or the disk',
    async (secret) => {
      const { client, alice, keystone } = suite()
      keystone.answer = (_, response) => {
        response.writeHead(400, { 'Content-Type': 'application/json' })
        const message = `cannot read ${keystone.bodies.at(-1)}`
        response.end(JSON.stringify({ error: { code: 400, title: 'Bad Request', message } }))
      }
      const { code, stderr } = await client.run({ env: { ...alice, OS_PASSWORD: secret } })
      expect(code).toBe(1)
      const files = readdirSync(client.cache).map((file) => readFileSync(join(client.cache, file), 'utf8'))
      for (const form of [secret, JSON.stringify(secret).slice(1, -1)])
        expect([stderr, ...files].join()).not.toContain(form)
      expect(stderr).toContain('Its message repeats a secret')
    },
  )

  it('a kubeconfig that sets HTTP_PROXY does not get the secret of a cloud, and this machine is reached directly', async () => {
    const { client, alice, keystone } = suite()
    const proxy = await startFrontEnd(keystone.url)
    try {
      const auth = `{auth_url: 'http://keystone.invalid', username: alice, password: ${SECRET}, domain_name: Default}`
      client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}}}`)
      for (const variable of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) {
        const { code, stderr } = await client.run({ env: { OS_CLOUD: 'demo', [variable]: proxy.url } })
        expect(code).toBe(1)
        expect(stderr).toContain('would give the secret of the clouds file to a proxy')
      }
      expect(await client.token({ env: { ...alice, HTTP_PROXY: proxy.url } })).toMatch(/^gAAAA/)
      expect(proxy.requests).toEqual([])
    } finally {
      await proxy.close()
    }
  })

  it('names of a server cannot forge a line of status', async () => {
    const { client, alice, keystone } = suite()
    keystone.answer = (_, response) => {
      const user = {
        name: 'mallory\u001b[2J\nalice (Default), project demo',
        domain: { id: 'default', name: 'D\u202e' },
      }
      const at = (ms: number) => new Date(Date.now() + ms).toISOString().replace(/Z$/, '000Z')
      response.writeHead(201, { 'X-Subject-Token': 'a-token' })
      response.end(JSON.stringify({ token: { user, issued_at: at(0), expires_at: at(3_600_000) } }))
    }
    await client.token({ env: alice })
    const { stdout } = await client.run({ args: ['status'] })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(stdout.split('\n').filter((line) => line.startsWith('alice'))).toEqual([])
  })

  it.each([
    ['a named pipe', 'mkfifo'],
    ['a directory', 'mkdir'],
  ])('%s in place of clouds.yaml is passed over', async (_, make) => {
    const { client } = suite()
    mkdirSync(join(client.home, '.config/openstack'), { recursive: true })
    execFileSync(make, [join(client.home, '.config/openstack/clouds.yaml')])
    const { code, stderr } = await client.run({ env: { OS_CLOUD: 'demo' } })
    expect(code).toBe(1)
    expect(stderr).toContain('there is no clouds.yaml that can be read in')
  })

  it('a file that is a link, in the cache directory, is not read', async () => {
    const { client, alice } = suite()
    const token = await client.token({ env: alice })
    const entry = readdirSync(client.cache).find((file) => file.endsWith('.json')) ?? ''
    const other = client.write(
      'elsewhere.json',
      JSON.stringify({ ...JSON.parse(readFileSync(join(client.cache, entry), 'utf8')), token: 'planted' }),
    )
    const { rmSync } = await import('node:fs')
    rmSync(join(client.cache, entry))
    symlinkSync(other, join(client.cache, entry))
    expect(await client.token({ env: alice })).not.toMatch(/planted/)
    expect(token).not.toBe('planted')
  })

  // Root may write everywhere; below a file, or in /proc, nobody can make a directory.
  it.each(['file/cache', '/proc/nowhere'])(
    'a cache directory that cannot be made costs a warning only: %s',
    async (path) => {
      const { client, alice } = suite()
      writeFileSync(join(client.home, 'file'), '')
      const { code, stdout, stderr } = await client.run({
        env: { ...alice, XDG_CACHE_HOME: resolve(client.home, path) },
      })
      expect(code).toBe(0)
      expect(JSON.parse(stdout).status.token).toMatch(/^gAAAA/)
      expect(stderr).toContain('tokens are not cached')
    },
  )

  it('a full disk costs a warning only, and leaves no half of a file', async () => {
    const { client, alice } = suite()
    const { code, stdout, stderr } = await client.run({ env: alice, fullDisk: true })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).status.token).toMatch(/^gAAAA/)
    expect(stderr).toMatch(/tokens? (?:is|are) not cached/)
    expect(existsSync(client.cache) ? readdirSync(client.cache) : []).toEqual([])
  })

  it('a cache directory that others may enter is closed again', async () => {
    const { client, alice } = suite()
    mkdirSync(client.cache, { recursive: true })
    chmodSync(client.cache, 0o777)
    await client.token({ env: alice })
    const { statSync } = await import('node:fs')
    expect(statSync(client.cache).mode & 0o777).toBe(0o700)
  })

  it('a secret is in no file name, no argument and no output but the token', async () => {
    const { client, alice, keystone } = suite()
    keystone.answer = (_, response) => response.writeHead(500).end(SECRET)
    const { stdout, stderr } = await client.run({ env: { ...alice, OS_PASSWORD: SECRET } })
    expect(stdout + stderr).not.toContain(SECRET)
    const files = existsSync(client.cache) ? readdirSync(client.cache) : []
    expect(files.join()).not.toContain(SECRET)
  })
})
