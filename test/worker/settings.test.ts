import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { readConfiguration } from '../../src/settings.ts'

const KEY = btoa('k'.repeat(32))
const DIGEST = `sha256:${'a'.repeat(64)}`
const VALID = {
  KEYSTONE_URL: 'https://keystone.example.org/identity/v3/',
  CACHE_KEYS: JSON.stringify([KEY]),
  CALLERS: JSON.stringify({ 'prod-1': { credentials: [DIGEST] } }),
  CONFIG: env.CONFIG,
  CACHE: env.CACHE,
}

function faultsOf(vars: Record<string, unknown>): string[] {
  const { settings } = readConfiguration({ ...VALID, ...vars })
  return settings.ok ? [] : settings.error.map(({ path, message }) => `${path}: ${message}`)
}

describe('settings', () => {
  it('have the defaults of the contract', () => {
    const { settings, callers } = readConfiguration(VALID)
    expect(settings).toMatchObject({
      ok: true,
      value: {
        keystoneUrl: 'https://keystone.example.org/identity/v3',
        keystoneTimeoutMs: 5000,
        keystoneMaxConcurrent: 16,
        warnings: [],
        keystoneFetch: undefined,
        identityTtlSeconds: 120,
        rejectionTtlSeconds: 30,
        auditRepeatsSeconds: 60,
        homeDomain: 'default',
      },
    })
    expect([...callers.clusters]).toEqual([[DIGEST, 'prod-1']])
  })

  it('accept http for KEYSTONE_URL on loopback, with the binding KEYSTONE and with KEYSTONE_ALLOW_HTTP', () => {
    const KEYSTONE_URL = 'http://10.0.0.1:5000/v3'
    expect(faultsOf({ KEYSTONE_URL })).toEqual([
      expect.stringMatching(/^KEYSTONE_URL: expected https;.*KEYSTONE_ALLOW_HTTP/),
    ])
    expect(faultsOf({ KEYSTONE_URL, KEYSTONE_ALLOW_HTTP: 'false' })).toHaveLength(1)
    expect(faultsOf({ KEYSTONE_URL: 'http://127.0.0.1:5000/v3' })).toEqual([])
    expect(faultsOf({ KEYSTONE_URL, KEYSTONE: { fetch: () => undefined } })).toEqual([])
    const allowed = readConfiguration({ ...VALID, KEYSTONE_URL, KEYSTONE_ALLOW_HTTP: 'true' }).settings
    expect(allowed).toMatchObject({ ok: true, value: { warnings: [{ path: 'KEYSTONE_ALLOW_HTTP' }] } })
    // Both faults at once.
    expect(faultsOf({ KEYSTONE_URL, IDENTITY_TTL_SECONDS: 'x' })).toHaveLength(2)
  })

  it('take numbers as numbers and as strings', () => {
    for (const value of [300, '300', 0, '0']) expect(faultsOf({ IDENTITY_TTL_SECONDS: value })).toEqual([])
  })

  const faulty: [string, unknown][] = [
    ...[undefined, '', 'keystone', 'http://keystone.example.org/v3', 'http://10.0.0.1/v3', 'ftp://127.0.0.1/v3'].map(
      (value): [string, unknown] => ['KEYSTONE_URL', value],
    ),
    ...[
      'http://127.0.0.1.example.org/v3',
      'http://localhost.example.org/v3',
      'https://u:p@keystone/v3',
      'https://keystone/v3?x',
      'https://keystone/v3#x',
      ' https://keystone/v3',
      5,
    ].map((value): [string, unknown] => ['KEYSTONE_URL', value]),
    ...[
      '301',
      '-1',
      '1.5',
      '',
      ' 1',
      '1e2',
      '0x10',
      'NaN',
      301,
      -1,
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      true,
      [],
      {},
    ].map((value): [string, unknown] => ['IDENTITY_TTL_SECONDS', value]),
    ['REJECTION_TTL_SECONDS', '301'],
    ['KEYSTONE_TIMEOUT_MS', '0'],
    ['KEYSTONE_MAX_CONCURRENT', '0'],
    ['KEYSTONE_MAX_CONCURRENT', '65'],
    ['KEYSTONE_ALLOW_HTTP', 'yes'],
    ['KEYSTONE_ALLOW_HTTP', true],
    ['KEYSTONE_TIMEOUT_MS', '10001'],
    ['AUDIT_REPEATS_SECONDS', 'yes'],
    ['HOME_DOMAIN', ''],
    ['HOME_DOMAIN', 'Default'],
    ['HOME_DOMAIN', 'my-domain'],
    ...[undefined, '', '[]', KEY, '[""]', `["${btoa('k'.repeat(31))}"]`, `["${KEY}", "x"]`, '["%%%"]', '{}', '[5]'].map(
      (value): [string, unknown] => ['CACHE_KEYS', value],
    ),
    ['CACHE', undefined],
    ['CACHE', {}],
    ['CONFIG', undefined],
    ['KEYSTONE', 'https://keystone'],
    ['CALLERS', '{'],
    ['CALLERS', '[]'],
    ['CALLERS', 5],
  ]
  for (const [name, value] of faulty) {
    it(`${name} = ${String(JSON.stringify(value))} is a fault`, () => {
      const faults = faultsOf({ [name]: value })
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatch(new RegExp(`^${name}: .*(expected|not JSON)`))
    })
  }

  it('loopback may be http', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
      expect(faultsOf({ KEYSTONE_URL: `http://${host}:5000/v3` })).toEqual([])
    }
  })

  it('names all faults at once, and repeats no value', () => {
    const secret = 'AAAA-secret-value'
    const faults = faultsOf({
      KEYSTONE_URL: secret,
      CACHE_KEYS: secret,
      CALLERS: secret,
      HOME_DOMAIN: secret,
      IDENTITY_TTL_SECONDS: secret,
    })
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'CACHE_KEYS',
      'CALLERS',
      'HOME_DOMAIN',
      'IDENTITY_TTL_SECONDS',
      'KEYSTONE_URL',
    ])
    expect(faults.join()).not.toContain(secret)
  })

  it('uses the KEYSTONE binding when bound', async () => {
    const KEYSTONE = { fetch: async () => new Response('from the binding') }
    const { settings } = readConfiguration({ ...VALID, KEYSTONE })
    if (!settings.ok) throw new Error('faulty')
    expect(await (await settings.value.keystoneFetch?.('https://keystone/v3', {}))?.text()).toBe('from the binding')
  })
})

describe('callers', () => {
  const faultsOfCallers = (callers: unknown) => faultsOf({ CALLERS: JSON.stringify(callers) })

  it('may be several for one cluster, and certificates', () => {
    const callers = {
      'a.b-1': { credentials: [DIGEST, `cert:${'b'.repeat(64)}`], own: ['mapping'] },
      b: { credentials: [] },
    }
    expect(faultsOfCallers(callers)).toEqual([])
  })

  const faulty: [string, unknown, string][] = [
    ['a cluster in capitals', { Prod: { credentials: [] } }, 'CALLERS.Prod'],
    ['a cluster with a slash', { 'a/b': { credentials: [] } }, 'CALLERS.a/b'],
    ['a cluster of 64 letters', { ['a'.repeat(64)]: { credentials: [] } }, 'CALLERS.aaaa'],
    ['no credentials', { a: {} }, 'CALLERS.a'],
    ['a credential in the clear', { a: { credentials: ['my-secret'] } }, 'CALLERS.a.credentials[0]: expected sha256:'],
    ['a digest in capitals', { a: { credentials: [`sha256:${'A'.repeat(64)}`] } }, 'CALLERS.a.credentials[0]'],
    ['an unknown key', { a: { credentials: [], owns: [] } }, 'CALLERS.a'],
    ['an unknown document of its own', { a: { credentials: [], own: ['callers'] } }, 'CALLERS.a.own[0]'],
    [
      'one credential for two clusters',
      { a: { credentials: [DIGEST] }, b: { credentials: [DIGEST] } },
      'CALLERS.b.credentials[0]: is listed for cluster a',
    ],
  ]
  for (const [name, callers, start] of faulty) {
    it(`${name} is a fault, and then nobody is let in`, () => {
      const faults = faultsOfCallers(callers)
      expect(faults).toHaveLength(1)
      expect(faults[0]?.startsWith(start)).toBe(true)
      expect(faults[0]).not.toContain('my-secret')
      expect(readConfiguration({ ...VALID, CALLERS: JSON.stringify(callers) }).callers.clusters.size).toBe(0)
    })
  }
})
