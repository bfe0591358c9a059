import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

// The queries of docs/operations.md, run on points of which Analytics Engine kept a sample. SQLite stands in for it, with
// the functions and the intervals that it lacks.

const ROOT = resolve(import.meta.dirname, '../../..')
const NOW = 1_795_352_400
const queries = new Map(
  [...readFileSync(resolve(ROOT, 'docs/operations.md'), 'utf8').matchAll(/^```sql\n-- (.*)\n([\s\S]*?)^```$/gm)].map(
    ([, title = '', sql = '']) => [title, sql],
  ),
)
const SECONDS: Readonly<Record<string, number>> = { MINUTE: 60, HOUR: 3600 }
const database = new DatabaseSync(':memory:')

interface Point {
  readonly at?: number
  readonly kept?: number
  readonly cluster?: string
  readonly kind?: string
  readonly decision?: string
  readonly reason?: string
  readonly source?: string
  readonly calls?: number
  readonly keystoneMs?: number
  readonly reviewMs?: number
  readonly count?: number
}

function insert(point: Point): void {
  const { at = NOW - 30, kept = 1, cluster = 'prod-1', kind = 'TokenReview', decision = 'allow', reason = '' } = point
  const { source = '', calls = 0, keystoneMs = 0, reviewMs = 0, count = 1 } = point
  const values: SQLInputValue[] = [at, kept, cluster, kind, '', decision, reason, source]
  database
    .prepare(`INSERT INTO keystone_edge_auth VALUES (${Array(13).fill('?').join(', ')})`)
    .run(...values, calls, keystoneMs, 0, reviewMs, count)
}

function run(title: string) {
  const sql = (queries.get(title) ?? 'there is no such query')
    .replace(/NOW\(\) - INTERVAL '(\d+)' (\w+)/g, (_, n, unit) => String(NOW - n * (SECONDS[unit] ?? Number.NaN)))
    .replace(/toStartOfInterval\(timestamp, INTERVAL '1' MINUTE\)/g, 'timestamp - timestamp % 60')
    .replace(/quantileExactWeighted\(([\d.]+)\)\(/g, 'quantileExactWeighted($1, ')
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }))
}

beforeAll(() => {
  const doubles = [1, 2, 3, 4, 5].map((n) => `double${n} REAL`)
  const blobs = [1, 2, 3, 4, 5].map((n) => `blob${n} TEXT`)
  const columns = ['timestamp INTEGER', '_sample_interval INTEGER', 'index1 TEXT', ...blobs, ...doubles]
  database.exec(`CREATE TABLE keystone_edge_auth (${columns.join(', ')})`)
  database.aggregate<number>('sumIf', {
    start: 0,
    step: (sum, value, condition) => (condition === 1 ? sum + Number(value) : sum),
  })
  database.aggregate<string>('quantileExactWeighted', {
    start: '[]',
    step: (all, level, value, weight) => JSON.stringify([...JSON.parse(all), [level, value, weight]]),
    result: (all) => quantile(JSON.parse(all)),
  })
})

beforeEach(() => database.exec('DELETE FROM keystone_edge_auth'))

/** The value below which that share of all weight lies. */
function quantile(rows: readonly [level: number, value: number, weight: number][]): number {
  const sorted = rows.toSorted(([, a], [, b]) => a - b)
  const total = sorted.reduce((sum, [, , weight]) => sum + weight, 0)
  let below = 0
  for (const [level, value, weight] of sorted) {
    below += weight
    if (below >= level * total) return value
  }
  return Number.NaN
}

describe('the queries of docs/operations.md', () => {
  it('are about the dataset that wrangler.toml names', () => {
    const dataset = /^# dataset = "(\w+)"$/m.exec(readFileSync(resolve(ROOT, 'wrangler.toml'), 'utf8'))?.[1]
    expect(queries.size).toBe(8)
    for (const sql of queries.values()) expect(/^FROM (\w+)$/m.exec(sql)?.[1]).toBe(dataset)
  })

  it.each([...queries.keys()])('%s: leaves out what is too old, and finds nothing in nothing', (title) => {
    expect(run(title)).toEqual([])
    insert({ at: NOW - 7200, kind: 'TokenReview', decision: 'unknown', source: 'keystone', calls: 2 })
    insert({ at: NOW - 7200, kind: 'caller', decision: 'refused' })
    expect(run(title)).toEqual([])
  })

  it('count the reviews that a kept point stands for, and no refused callers', () => {
    insert({ kept: 10 })
    insert({ kept: 50, decision: 'unknown', reason: 'keystone_timeout' })
    insert({ cluster: 'prod-2', decision: 'unknown', reason: 'settings', kept: 3 })
    insert({ kind: 'caller', decision: 'refused', reason: 'wrong_cluster', count: 500 })
    insert({ kind: 'refresh', decision: '', source: 'stale', calls: 1, kept: 500 })
    expect(run('Reviews per second, by decision')).toEqual([
      { minute: NOW - 60, cluster: 'prod-1', decision: 'allow', per_second: 10 / 60 },
      { minute: NOW - 60, cluster: 'prod-1', decision: 'unknown', per_second: 50 / 60 },
      { minute: NOW - 60, cluster: 'prod-2', decision: 'unknown', per_second: 3 / 60 },
    ])
    expect(run('Share of "cannot tell" reviews')).toEqual([
      { cluster: 'prod-1', unknown_ratio: 50 / 60 },
      { cluster: 'prod-2', unknown_ratio: 1 },
    ])
    expect(run('Reasons of "cannot tell" reviews')).toEqual([
      { cluster: 'prod-1', kind: 'TokenReview', reason: 'keystone_timeout', reviews: 50 },
      { cluster: 'prod-2', kind: 'TokenReview', reason: 'settings', reviews: 3 },
    ])
  })

  it('take the hit ratio of the token reviews for which an identity was looked for', () => {
    for (const [source, kept] of [
      ['memory', 70],
      ['kv', 10],
      ['keystone', 15],
      ['stale', 5],
      ['', 900],
    ] as const) {
      insert({ source, kept })
    }
    insert({ kind: 'SubjectAccessReview', source: 'policy', kept: 900 })
    insert({ kind: 'refresh', decision: '', source: 'stale', calls: 1, kept: 900 })
    expect(run('Cache hit ratio and stale answers')).toEqual([{ cluster: 'prod-1', hit_ratio: 0.8, stale: 5 }])
  })

  it("take Keystone's latency of all look-ups, and what reviews waited for of reviews", () => {
    insert({ source: 'memory', kept: 10_000 })
    insert({ source: 'keystone', calls: 2, keystoneMs: 30, reviewMs: 31, kept: 90 })
    insert({ source: 'keystone', calls: 2, keystoneMs: 400, reviewMs: 410, kept: 8 })
    insert({ source: 'keystone', calls: 1, keystoneMs: 5000, reviewMs: 5001, kept: 2 })
    insert({ kind: 'refresh', decision: '', source: 'keystone', calls: 1, keystoneMs: 30, kept: 10 })
    const [latency] = run("Keystone's latency in milliseconds, for all requests of a look-up")
    expect(latency).toEqual({ cluster: 'prod-1', p50: 30, p95: 400, p99: 5000 })
    expect(run('Look-ups per minute, background look-ups and requests to Keystone')).toEqual([
      { minute: NOW - 60, cluster: 'prod-1', lookups: 110, behind: 10, requests: 208 },
    ])
    expect(run('Review latency in milliseconds')).toEqual([{ cluster: 'prod-1', kind: 'TokenReview', p99: 0 }])
  })

  it('count the refused callers that a point stands for', () => {
    insert({})
    insert({ kind: 'caller', cluster: '-', reason: 'unknown_credential', count: 120, kept: 2 })
    insert({ kind: 'caller', cluster: '-', reason: 'unknown_credential', count: 1 })
    insert({ kind: 'caller', cluster: 'prod-1', reason: 'wrong_cluster', count: 3 })
    expect(run('Refused callers, by reason')).toEqual([
      { cluster: '-', reason: 'unknown_credential', callers: 241 },
      { cluster: 'prod-1', reason: 'wrong_cluster', callers: 3 },
    ])
  })
})
