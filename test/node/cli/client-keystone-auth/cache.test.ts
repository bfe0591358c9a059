import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { logInsOf } from '../../../support/client-stage.ts'
import { useClient } from './client-suite.ts'

const suite = useClient()
const entryOf = (cache: string): string => {
  const entry = readdirSync(cache).find((file) => file.endsWith('.json'))
  if (entry === undefined) throw new Error('nothing is cached')
  return join(cache, entry)
}
const modeOf = (path: string): number => statSync(path).mode & 0o777
const isRoot = process.getuid?.() === 0

describe('a cached token', () => {
  it('is served to a hundred parent processes without a request to Keystone', async () => {
    const { client, alice, keystone } = suite()
    const first = await client.token({ env: alice })
    keystone.requests.length = 0
    for (let round = 0; round < 10; round++) {
      const tokens = await Promise.all(Array.from({ length: 10 }, () => client.token({ env: alice })))
      expect(new Set(tokens)).toEqual(new Set([first]))
    }
    expect(keystone.requests).toEqual([])
  })

  it('is one for each set of inputs; a passcode is none of them', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice })
    expect(await client.token({ env: { ...alice, OS_PASSCODE: '123456' } })).toBe(token)
    expect(logInsOf(keystone.requests)).toBe(1)
    expect(await client.token({ env: { ...alice, OS_PROJECT_DOMAIN_NAME: '' } })).not.toBe(token)
    expect(logInsOf(keystone.requests)).toBe(2)
  })

  it('is kept in a file that only its owner may read, under a name that tells nothing', async () => {
    const { client, alice } = suite()
    const token = await client.token({ env: alice })
    expect(modeOf(client.cache)).toBe(0o700)
    for (const file of readdirSync(client.cache)) {
      expect(modeOf(join(client.cache, file))).toBe(0o600)
      expect(file).toMatch(/^(?:key|[0-9a-f]{64}\.(?:json|served))$/)
    }
    const content = readFileSync(entryOf(client.cache), 'utf8')
    expect(content).toContain(token)
    expect(content).not.toContain('OS_PASSWORD')
    expect(JSON.parse(content)).not.toHaveProperty('password')
  })

  it('is confirmed by Keystone before the same parent process gets it again', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice, parent: 'shared' })
    keystone.requests.length = 0
    expect(await client.token({ env: alice, parent: 'shared' })).toBe(token)
    expect(keystone.requests).toEqual(['GET /v3/auth/tokens?nocatalog'])
  })

  it('that was revoked is replaced when the same parent process asks again', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice, parent: 'shared' })
    const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token }
    expect((await fetch(`${keystone.url}/v3/auth/tokens`, { method: 'DELETE', headers })).status).toBe(204)
    const renewed = await client.token({ env: alice, parent: 'shared' })
    expect(renewed).not.toBe(token)
    // The new one is what everybody gets from now on.
    expect(await client.token({ env: alice })).toBe(renewed)
  })

  it('is served to the same parent process while Keystone cannot be asked', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice, parent: 'shared' })
    keystone.answer = (_, response) => response.writeHead(503).end()
    expect(await client.token({ env: alice, parent: 'shared' })).toBe(token)
  })

  it('that has expired is replaced, and its file goes', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice })
    const entry = entryOf(client.cache)
    const cached = JSON.parse(readFileSync(entry, 'utf8'))
    writeFileSync(entry, JSON.stringify({ ...cached, expiresAtMs: Date.now() - 1 }))
    expect(await client.token({ env: alice })).not.toBe(token)
    expect(logInsOf(keystone.requests)).toBe(2)
    expect(readdirSync(client.cache).filter((file) => file.endsWith('.json'))).toHaveLength(1)
  })

  it('is passed over by --force-refresh and --no-cache', async () => {
    const { client, alice } = suite()
    const first = await client.token({ env: alice })
    const second = await client.token({ env: alice, args: ['--force-refresh'] })
    expect(second).not.toBe(first)
    expect(await client.token({ env: alice })).toBe(second)
    expect(await client.token({ env: alice, args: ['--no-cache'] })).not.toBe(second)
  })
})

describe('ten calls at once', () => {
  it('cost one log-in', async () => {
    const { client, alice, keystone } = suite()
    // Each time in an empty directory, where the first to come makes the key.
    for (const round of [1, 2, 3, 4]) {
      const env = { ...alice, XDG_CACHE_HOME: join(client.home, `cache-${round}`) }
      const tokens = await Promise.all(Array.from({ length: 10 }, () => client.token({ env })))
      expect(new Set(tokens).size).toBe(1)
      expect(logInsOf(keystone.requests)).toBe(round)
    }
  })

  it('with a wrong password share one refusal', async () => {
    const { client, alice, keystone } = suite()
    const env = { ...alice, OS_PASSWORD: 'wrong' }
    const runs = await Promise.all(Array.from({ length: 10 }, () => client.run({ env })))
    expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 1))
    // Two requests tell the reasons apart; a call that starts after them asks again.
    expect(logInsOf(keystone.requests)).toBeLessThanOrEqual(6)
  })

  it('do not wait for a process that died with the lock', async () => {
    const { client, alice } = suite()
    await client.token({ env: alice })
    const name = entryOf(client.cache).replace(/\.json$/, '')
    // A process id that Linux never gives.
    const { hostname } = await import('node:os')
    writeFileSync(`${name}.lock`, `${hostname()} 4194999:1 0`, { mode: 0o600 })
    const startedMs = Date.now()
    await client.token({ env: alice, args: ['--force-refresh'] })
    expect(Date.now() - startedMs).toBeLessThan(20_000)
    expect(existsSync(`${name}.lock`)).toBe(false)
  })
})

describe('a cache file', () => {
  it.each([
    ['is cut short', (file: string) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40))],
    ['is empty', (file: string) => writeFileSync(file, '')],
    ['is of another format', (file: string) => writeFileSync(file, '{"format":0,"token":"x","expiresAtMs":9e15}')],
    ['can be read by others', (file: string) => chmodSync(file, 0o644)],
  ])('that %s is replaced', async (_, spoil) => {
    const { client, alice } = suite()
    const token = await client.token({ env: alice })
    spoil(entryOf(client.cache))
    const renewed = await client.token({ env: alice })
    expect(renewed).not.toBe(token)
    expect(modeOf(entryOf(client.cache))).toBe(0o600)
    expect(await client.token({ env: alice })).toBe(renewed)
  })

  it.runIf(isRoot)('of another owner is not used', async () => {
    const { client, alice } = suite()
    const token = await client.token({ env: alice })
    chownSync(entryOf(client.cache), 12345, 12345)
    expect(await client.token({ env: alice })).not.toBe(token)
  })
})

describe('a log-in without a usable cache', () => {
  it.each([
    ['a file stands where the directory should be', (home: string) => writeFileSync(join(home, '.cache'), '')],
    [
      'the directory is a file',
      (home: string) => {
        mkdirSync(join(home, '.cache'))
        writeFileSync(join(home, '.cache/client-keystone-auth'), '')
      },
    ],
  ])('works with a warning when %s', async (_, spoil) => {
    const { client, alice } = suite()
    spoil(client.home)
    const { code, stdout, stderr } = await client.run({ env: alice })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).status.token).toMatch(/^gAAAA/)
    expect(stderr).toMatch(
      /^client-keystone-auth: tokens are not cached: .* cannot be used \(E[A-Z]+\); --no-cache ends this warning\n$/,
    )
  })

  it.runIf(isRoot)('works with a warning when the directory belongs to somebody else', async () => {
    const { client, alice } = suite()
    mkdirSync(client.cache, { recursive: true })
    chownSync(client.cache, 12345, 12345)
    const { code, stderr } = await client.run({ env: alice })
    expect(code).toBe(0)
    expect(stderr).toContain('cannot be used (EOWNER)')
    expect(readdirSync(client.cache)).toEqual([])
  })
})

describe('status and logout', () => {
  it('say who is logged in, revoke the token and forget it', async () => {
    const { client, alice, keystone } = suite()
    expect((await client.run({ args: ['status'] })).stdout).toContain('nobody is logged in')
    const token = await client.token({ env: alice })
    const status = await client.run({ args: ['status'] })
    expect(status.stdout).toMatch(
      /^alice \(Default\), project demo \(Default\)\n {2}Keystone {2}http:.*\n {2}until .* \(57 minutes\)\n {2}from {6}flags and variables\n$/,
    )
    expect(status.stdout).not.toContain(token)
    const logout = await client.run({ args: ['logout'] })
    expect(logout).toMatchObject({ code: 0, stderr: '' })
    expect(logout.stdout).toContain('is revoked')
    const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token }
    expect((await fetch(`${keystone.url}/v3/auth/tokens`, { headers })).status).toBe(401)
    expect((await client.run({ args: ['status'] })).stdout).toContain('nobody is logged in')
  })

  it('say why where the cache cannot be used', async () => {
    const { client } = suite()
    writeFileSync(join(client.home, '.cache'), '')
    const { code, stderr } = await client.run({ args: ['status'] })
    expect(code).toBe(1)
    expect(stderr).toMatch(/the cached tokens cannot be read: .* cannot be used \(E[A-Z]+\)/)
  })

  it('forget a token that Keystone cannot be asked to revoke, and say so', async () => {
    const { client, alice, keystone } = suite()
    await client.token({ env: alice })
    keystone.answer = (_, response) => response.writeHead(503).end()
    const { code, stderr } = await client.run({ args: ['logout'] })
    expect(code).toBe(1)
    expect(stderr).toContain('good until it expires')
    expect((await client.run({ args: ['status'] })).stdout).toContain('nobody is logged in')
  })
})
