import { describe, expect, it } from 'vitest'
import { createDemoKeystone } from '../../support/demo-keystone.ts'
import { createStage, keystone, type Stage, timed } from '../../support/documents-stage.ts'
import { KEYSTONE_FAULTS } from '../../support/faults.ts'
import {
  CACHE_KEY,
  CALLER_TOKEN,
  KEYSTONE_URL,
  OTHER_CALLER_TOKEN,
  putDocument,
  sha256,
} from '../../support/webhook.ts'

const CALLER = { headers: { Authorization: `Bearer ${CALLER_TOKEN}` } }

async function prepare(documents: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const stage = await createStage()
  for (const [key, document] of Object.entries({ mapping: {}, ...documents })) await putDocument(key, document)
  return stage
}

describe('GET /readyz', () => {
  it('says all there is to say, and 200, when all is well', async () => {
    const stage = await prepare({ callers: {} })
    const isolate = await stage.isolate()
    const { status, headers, json } = await isolate.send('/readyz', CALLER)
    expect(status).toBe(200)
    expect(headers.get('Content-Type')).toBe('application/json')
    expect(headers.get('Cache-Control')).toBe('no-store')
    const good = { source: 'config', ageSeconds: 0, digest: await sha256('{}'), faults: [] }
    expect(json).toEqual({
      keystone: { reachable: true },
      breaker: 'closed',
      settings: [],
      warnings: [],
      documents: expect.objectContaining({ callers: good, mapping: good }),
    })
  })

  it('is well without a callers document when the secret has callers', async () => {
    const isolate = await (await prepare()).isolate()
    const { status, json } = await isolate.send('/readyz', CALLER)
    expect([status, json.documents.callers]).toEqual([200, { source: 'none', ageSeconds: 0, digest: null, faults: [] }])
  })

  it.each(['/readyz/', '/readyz?timeout=10s', '/readyz/?timeout=10s'])('%s is the same', async (path) => {
    const isolate = await (await prepare()).isolate()
    expect((await isolate.send(path, CALLER)).status).toBe(200)
  })

  it('is for callers: 401 for anyone else, whatever is wrong', async () => {
    const stage = await prepare({ mapping: 'broken' })
    for (const isolate of [await stage.isolate(), await stage.isolate({ vars: { KEYSTONE_URL: '' } })]) {
      for (const authorization of ['', 'Bearer x', 'Basic eDp5', await sha256(CALLER_TOKEN)]) {
        const { status, json, text } = await isolate.send('/readyz', { headers: { Authorization: authorization } })
        expect([status, json.reason]).toEqual([401, 'Unauthorized'])
        expect(text).not.toContain('documents')
      }
      expect((await isolate.send('/readyz')).status).toBe(401)
    }
  })

  it('takes GET and HEAD only', async () => {
    const isolate = await (await prepare()).isolate()
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await isolate.send('/readyz', { ...CALLER, method })
      expect([status, headers.get('Allow')]).toEqual([405, 'GET, HEAD'])
    }
    expect((await isolate.send('/readyz', { ...CALLER, method: 'HEAD' })).status).toBe(200)
    expect((await isolate.send('/readyz', { method: 'HEAD' })).status).toBe(401)
    await putDocument('mapping', 'broken')
    await isolate.refresh()
    expect((await isolate.send('/readyz', { ...CALLER, method: 'HEAD' })).status).toBe(503)
  })

  it('says how long ago each document was last seen', async () => {
    const stage = await prepare()
    const isolate = await stage.isolate()
    await isolate.look()
    const ageSeconds = async () => (await isolate.send('/readyz', CALLER)).json.documents.mapping.ageSeconds
    stage.clock.advance(29_400)
    expect(await ageSeconds()).toBe(29)
    await putDocument('mapping', 'broken')
    await isolate.refresh()
    stage.clock.advance(10_000)
    expect(await ageSeconds()).toBe(69)
    await putDocument('mapping', {})
    await isolate.refresh()
    expect(await ageSeconds()).toBe(0)
  })

  it('speaks of the documents that decide for the cluster of the caller', async () => {
    const isolate = await (await prepare({ 'clusters/prod-2/mapping': '{"allow": 1}' })).isolate()
    expect((await isolate.send('/readyz', CALLER)).status).toBe(200)
    const other = await isolate.ready(OTHER_CALLER_TOKEN)
    expect([other.status, other.json.documents.mapping.faults[0].path]).toEqual([503, 'allow'])
  })

  it('holds no secret and no content of a document', async () => {
    const stage = await prepare({
      mapping: { deny: { users: ['denied-user'] }, username: 'template:{user.name}' },
      callers: { 'prod-7': { credentials: [`sha256:${'ab'.repeat(32)}`] } },
    })
    const isolate = await stage.isolate()
    const broken = { deny: { users: ['denied-user', 5] }, username: ['template:{user.name}'] }
    for (const mapping of [undefined, broken, `${JSON.stringify(broken)}x`]) {
      const { text } = await isolate.send('/readyz', CALLER)
      for (const content of ['denied-user', 'template', 'abab', 'prod-7', CALLER_TOKEN, CACHE_KEY]) {
        expect(text).not.toContain(content)
      }
      expect(text).not.toContain(await sha256(CALLER_TOKEN))
      await putDocument('mapping', mapping)
      await isolate.refresh()
    }
  })
})

describe('/readyz on Keystone', () => {
  it('asks the real thing at KEYSTONE_URL, and sends no token', async () => {
    const stage = await prepare()
    const demo = await createDemoKeystone({ now: stage.clock.now, url: KEYSTONE_URL })
    const isolate = await stage.isolate({ keystone: demo.fetch })
    const { status, json } = await isolate.send('/readyz', CALLER)
    expect([status, json.keystone]).toEqual([200, { reachable: true }])
    const [request, ...more] = isolate.keystoneRequests
    expect([request?.method, request?.url, more.length]).toEqual(['GET', KEYSTONE_URL, 0])
    expect([...(request?.headers.keys() ?? [])].filter((name) => /token|auth/i.test(name))).toEqual([])
  })

  const faults = Object.entries(KEYSTONE_FAULTS).filter(([fault]) => !fault.startsWith('is '))
  const isUnreachable = (fault: string): boolean => /refuses the|resets|hangs|50[0234]/.test(fault)
  it.each(faults)('says why, and 503, when Keystone %s', async (fault, respond) => {
    const stage = await prepare()
    const isolate = await stage.isolate({ keystone: (request) => respond(request, stage.clock) })
    const { value, tookMs } = await timed(stage.clock, isolate.send('/readyz', CALLER))
    const reason = isUnreachable(fault) ? 'unreachable' : 'answers, but not as an Identity API v3 root'
    expect([value.status, value.json.keystone]).toEqual([503, { reachable: false, reason }])
    expect(value.json.documents.mapping.faults).toEqual([])
    expect(tookMs).toBeLessThanOrEqual(5_000)
    expect(value.headers.get('Retry-After')).toBeNull()
  })

  it('is asked anew each time', async () => {
    const stage = await prepare()
    let up = true
    const isolate = await stage.isolate({
      keystone: (request) => (up ? keystone(request) : Promise.reject(new TypeError('refused'))),
    })
    for (const each of [true, false, true]) {
      up = each
      expect((await isolate.send('/readyz', CALLER)).json.keystone.reachable).toBe(each)
    }
  })
})

describe('/readyz with faulty settings', () => {
  it('names them to callers, all at once, with what was expected', async () => {
    const vars = { KEYSTONE_URL: 'ftp://secret-host.test', IDENTITY_TTL_SECONDS: 'soon', CACHE_KEYS: 'not-a-key' }
    const isolate = await (await prepare()).isolate({ vars })
    const { status, text, json } = await isolate.send('/readyz', CALLER)
    expect([status, json.keystone]).toEqual([
      503,
      { reachable: false, reason: 'not asked, because a setting is faulty' },
    ])
    expect(json.settings.map(({ path }: { path: string }) => path).toSorted()).toEqual(Object.keys(vars).toSorted())
    for (const value of Object.values(vars)) expect(text).not.toContain(value)
  })

  it('names them to anyone, and says nothing else, while no caller can be read', async () => {
    const cases: [Readonly<Record<string, unknown>>, string[]][] = [
      [{ CALLERS: 'broken' }, ['CALLERS']],
      [{ CALLERS: '{"prod-1": {"credentials": ["in clear", "in clear"]}}' }, ['CALLERS']],
      [{ CALLERS: '', KEYSTONE_URL: 'x', CACHE_KEYS: '' }, ['KEYSTONE_URL', 'CACHE_KEYS']],
      [{ CALLERS: 5, CONFIG: undefined }, ['CONFIG', 'CALLERS']],
      [{ CALLERS: '' }, []],
      [{ CALLERS: '{}' }, []],
      [{ CALLERS: undefined }, []],
    ]
    const stage = await prepare()
    for (const [vars, settings] of cases) {
      const isolate = await stage.isolate({ vars })
      for (const init of [{}, CALLER, { headers: { Authorization: 'Bearer x' } }]) {
        const { status, json } = await isolate.send('/readyz', init)
        expect([status, json]).toEqual([503, { settings }])
      }
      expect((await isolate.send('/readyz', { method: 'POST' })).status).toBe(405)
      expect((await isolate.review('x')).status).toBe(401)
    }
  })

  it.each(['fails', 'hangs'] as const)('knows no caller either where CONFIG (it %s) has them all', async (fault) => {
    const stage = await prepare({ callers: { 'prod-1': { credentials: [`sha256:${await sha256(CALLER_TOKEN)}`] } } })
    stage.config.fault = fault
    stage.cache.reading = fault
    const isolate = await stage.isolate({ vars: { CALLERS: '' } })
    const { value, tookMs } = await timed(stage.clock, isolate.send('/readyz', CALLER))
    expect([value.status, value.json]).toEqual([503, { settings: [] }])
    expect(tookMs).toBeLessThanOrEqual(500)
    stage.config.fault = 'none'
    stage.clock.advance(60_000)
    stage.cache.reading = 'none'
    expect((await timed(stage.clock, isolate.send('/readyz', CALLER))).value.status).toBe(200)
  })
})
