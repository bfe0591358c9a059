import { describe, expect, it } from 'vitest'
import docs from '../../../docs/operations.md?raw'
import type { ReviewRecord } from '../../../src/telemetry/audit.ts'
import { createMetrics, type MetricsDataset } from '../../../src/telemetry/metrics.ts'
import { presenting, VERIFIED } from '../../support/certificates.ts'
import { createClock } from '../../support/clock.ts'
import { keystone } from '../../support/documents-stage.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { CALLER_TOKEN, createWebhook, reviewBody } from '../../support/webhook.ts'

type Point = Parameters<MetricsDataset['writeDataPoint']>[0]

const RECORD: ReviewRecord = {
  kind: 'TokenReview',
  apiVersion: 'authentication.k8s.io/v1',
  decision: 'allow',
  reason: 'authenticated',
  user: 'alice',
  source: 'keystone',
  fingerprint: 'abcdef012345',
  keystoneCalls: 2,
  keystoneMs: 31,
  leftOut: 3,
}

function createDataset() {
  const points: Point[] = []
  return { points, dataset: { writeDataPoint: (point: Point) => void points.push(point) } }
}

function prepare() {
  const { points, dataset } = createDataset()
  const clock = createClock()
  const metrics = createMetrics(dataset, { clock, onFault: () => undefined })
  if (metrics === undefined) throw new Error('there is a dataset')
  return { points, clock, metrics }
}

/** Position and name from the table of positions: `| position | name | …`. */
const NAMES = [...docs.matchAll(/^\| `((?:index|blob|double)\d+)` *\| `(\w+)` *\|/gm)].map(
  ([, position = '', name = '']) => [position, name] as const,
)

/** A point by the names that the documentation gives to its positions. */
function byName({ indexes, blobs, doubles }: Point) {
  const lists: Readonly<Record<string, readonly unknown[]>> = { index: indexes, blob: blobs, double: doubles }
  const valueAt = (position: string) => lists[position.replace(/\d+$/, '')]?.[Number(/\d+$/.exec(position)) - 1]
  return Object.fromEntries(NAMES.map(([position, name]) => [name, valueAt(position)]))
}

describe('the positions of a data point', () => {
  it('are all in the documentation', () => {
    const { points, metrics } = prepare()
    metrics.review('prod-1', RECORD, 0)
    const { indexes, blobs, doubles } = points[0] as Point
    expect(NAMES.map(([position]) => position)).toEqual([
      ...indexes.map((_, index) => `index${index + 1}`),
      ...blobs.map((_, index) => `blob${index + 1}`),
      ...doubles.map((_, index) => `double${index + 1}`),
    ])
  })

  it('hold what the documentation says of a review', () => {
    const { points, clock, metrics } = prepare()
    const startedAtMs = clock.now()
    clock.advance(45)
    metrics.review('prod-1', RECORD, startedAtMs)
    const { user: _, fingerprint: __, ...counted } = RECORD
    expect(points.map(byName)).toEqual([{ cluster: 'prod-1', ...counted, reviewMs: 45, count: 1 }])
  })

  it('hold what the documentation says of refused callers', () => {
    const { points, metrics } = prepare()
    metrics.refused({ reason: 'unknown_credential' }, 120)
    metrics.refused({ reason: 'wrong_cluster', cluster: 'prod-1' }, 1)
    const zeros = { keystoneCalls: 0, keystoneMs: 0, leftOut: 0, reviewMs: 0 }
    const both = { kind: 'caller', apiVersion: '', decision: 'refused', source: '', ...zeros }
    expect(points.map(byName)).toEqual([
      { ...both, cluster: '-', reason: 'unknown_credential', count: 120 },
      { ...both, cluster: 'prod-1', reason: 'wrong_cluster', count: 1 },
    ])
  })

  it('hold what the documentation says of a look-up behind an answer', () => {
    const { points, metrics } = prepare()
    metrics.refreshed('prod-1', { source: 'stale', keystoneCalls: 1, keystoneMs: 31 })
    const empty = { apiVersion: '', decision: '', reason: '', leftOut: 0, reviewMs: 0 }
    const cost = { source: 'stale', keystoneCalls: 1, keystoneMs: 31 }
    expect(points.map(byName)).toEqual([{ cluster: 'prod-1', kind: 'refresh', ...empty, ...cost, count: 1 }])
  })

  it('have few values: every entry of a policy is one reason', () => {
    const { points, metrics } = prepare()
    const record = { ...RECORD, kind: 'SubjectAccessReview', source: undefined } as const
    for (const path of ['[0]', '[17].resource_permissions["*/*"]']) {
      metrics.review('prod-1', { ...record, reason: `policy ${path}` }, 0)
    }
    expect(points.map((point) => [byName(point).reason, byName(point).source])).toEqual([
      ['policy', ''],
      ['policy', ''],
    ])
  })
})

describe('METRICS', () => {
  const send = (body: unknown, bearer = CALLER_TOKEN) => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  })

  it('gets one point for each decoded review, also when its audit line is held back', async () => {
    const { points, dataset } = createDataset()
    const webhook = await createWebhook({ keystone, vars: { METRICS: dataset, AUDIT_REPEATS_SECONDS: 60 } })
    const token = fernetShaped()
    for (let times = 0; times < 20; times += 1) await webhook.review(token)
    await webhook.review('garbage')
    const attributes = { user: 'alice', nonResourceAttributes: { path: '/', verb: 'get' } }
    const access = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: attributes }
    await webhook.send('/webhook', send(access))
    expect(webhook.reviews().length).toBeLessThan(22)
    const named = points.map(byName)
    expect(named.map(({ source }) => source)).toEqual(['keystone', ...Array(19).fill('memory'), '', 'policy'])
    expect(named.at(-2)).toMatchObject({ decision: 'deny', reason: 'malformed', cluster: 'prod-1' })
    expect(named.at(-1)).toMatchObject({ kind: 'SubjectAccessReview', reason: 'not_keystone' })
    for (const init of [send({}), { ...send({}), body: '{' }, { ...send({}), headers: {} }]) {
      await webhook.send('/webhook', init)
    }
    expect(points.map(byName).filter(({ kind }) => kind !== 'caller')).toHaveLength(22)
  })

  it('gets the time that Keystone took, of the review and of the look-up', async () => {
    const { points, dataset } = createDataset()
    const clock = createClock()
    const slow = async (request: Request) => {
      clock.advance(40)
      return keystone(request)
    }
    const webhook = await createWebhook({ keystone: slow, clock, vars: { METRICS: dataset } })
    await webhook.review(fernetShaped())
    expect(points.map(byName)).toMatchObject([{ keystoneCalls: 2, keystoneMs: 80, reviewMs: 80 }])
  })

  it('gets one point for each look-up behind answers, whoever was answered meanwhile', async () => {
    const { points, dataset } = createDataset()
    const clock = createClock()
    let isDown = false
    const webhook = await createWebhook({
      keystone: async (request) => (isDown ? Promise.reject(new Error('down')) : keystone(request)),
      clock,
      vars: { METRICS: dataset },
    })
    const token = fernetShaped()
    await webhook.review(token)
    clock.advance(80_000)
    await Promise.all([webhook.review(token), webhook.review(token)])
    await webhook.background()
    isDown = true
    clock.advance(80_000)
    await webhook.review(token)
    await webhook.background()
    const refreshes = points.map(byName).filter(({ kind }) => kind === 'refresh')
    expect(refreshes).toMatchObject([
      { cluster: 'prod-1', source: 'keystone', keystoneCalls: 2 },
      { cluster: 'prod-1', source: 'stale', keystoneCalls: 1 },
    ])
    expect(points).toHaveLength(4 + 2)
  })

  it('gets reviews that cannot be told, also for faulty settings', async () => {
    const { points, dataset } = createDataset()
    const webhook = await createWebhook({ keystone, vars: { METRICS: dataset, KEYSTONE_URL: '' } })
    await webhook.review(fernetShaped())
    expect(points.map(byName)).toMatchObject([{ decision: 'unknown', reason: 'settings', count: 1 }])
  })

  it('gets one point for each line of refused callers, however many there are', async () => {
    const { points, dataset } = createDataset()
    const webhook = await createWebhook({ keystone, vars: { METRICS: dataset } })
    for (let second = 0; second <= 60; second += 1) {
      for (let each = 0; each < 10; each += 1) await webhook.send('/webhook', send({}, `stranger-${second}-${each}`))
      webhook.clock.advance(1000)
    }
    expect(points.map(byName).map(({ reason, count }) => [reason, count])).toEqual([
      ['unknown_credential', 1],
      ['unknown_credential', 600],
    ])
  })

  it('gets nothing that names or admits anyone', async () => {
    const { points, dataset } = createDataset()
    const webhook = await createWebhook({ keystone, vars: { METRICS: dataset } })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.send('/clusters/prod-2/webhook', { ...send(reviewBody(token)), ...presenting(VERIFIED) })
    await webhook.send('/webhook', { ...send({}, 'stranger'), ...presenting(VERIFIED) })
    const { fingerprint, user } = webhook.reviews()[0] ?? {}
    const text = JSON.stringify(points)
    expect(points).toHaveLength(3)
    for (const secret of [token, fingerprint, user, CALLER_TOKEN, 'stranger', VERIFIED.certFingerprintSHA256]) {
      expect(typeof secret).toBe('string')
      expect(text).not.toContain(secret)
    }
  })

  it('that throws fails no review, and is reported once a minute', async () => {
    const broken = {
      writeDataPoint() {
        throw new Error('the secret of the platform')
      },
    }
    const webhook = await createWebhook({ keystone, vars: { METRICS: broken } })
    for (let second = 0; second <= 60; second += 1) {
      expect((await webhook.review(fernetShaped())).json.status.authenticated).toBe(true)
      if (second === 0) expect((await webhook.review('x', { caller: 'stranger' })).status).toBe(401)
      webhook.clock.advance(1000)
    }
    expect(webhook.reviews()).toHaveLength(61)
    const event = { event: 'error', code: 'metrics_failed' }
    expect(webhook.log.filter(({ event }) => event === 'error')).toEqual([
      { ...event, repeats: 0 },
      { ...event, repeats: 60 },
    ])
  })

  it('is optional, and must be a dataset', async () => {
    expect(createMetrics(undefined, { clock: { now: () => 0 }, onFault: () => undefined })).toBeUndefined()
    const webhook = await createWebhook({ keystone, vars: { METRICS: 'a name' } })
    expect((await webhook.review(fernetShaped())).json.status.error).toContain('settings are faulty')
    const [{ faults } = {}] = webhook.log.filter(({ code }) => code === 'settings_faulty')
    expect(faults).toEqual([{ path: 'METRICS', message: 'expected an Analytics Engine dataset' }])
  })
})
