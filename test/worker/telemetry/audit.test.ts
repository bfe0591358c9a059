import { describe, expect, it } from 'vitest'
import { createAudit, type ReviewRecord } from '../../../src/telemetry/audit.ts'
import { createReportEvent } from '../../../src/telemetry/events.ts'
import { LineDeduplicator } from '../../../src/telemetry/line-deduplicator.ts'
import { createClock } from '../../support/clock.ts'

const RECORD: ReviewRecord = {
  kind: 'TokenReview',
  apiVersion: 'authentication.k8s.io/v1',
  decision: 'allow',
  reason: 'authenticated',
  user: 'alice',
  source: 'memory',
  fingerprint: 'abcdef012345',
  keystoneCalls: 0,
  keystoneMs: 0,
  leftOut: 0,
}

function prepare(repeatsSeconds = 60) {
  const clock = createClock()
  const lines: (ReviewRecord & { event: string; repeats: number })[] = []
  const write = createAudit({ clock, repeatsSeconds, log: (line) => lines.push(JSON.parse(line)) })
  const audit = (record: ReviewRecord, cluster = 'prod-1') => write(cluster, record, () => '0123456789abcdef-FRA')
  return { clock, lines, audit }
}

describe('the audit line', () => {
  it('is one JSON object with the fields of the contract', () => {
    const { audit, lines } = prepare()
    audit(RECORD)
    expect(lines).toEqual([{ event: 'review', ...RECORD, cluster: 'prod-1', ray: '0123456789abcdef-FRA', repeats: 0 }])
  })

  it('shows what a name hides, and lets none of it act', () => {
    const lines: string[] = []
    const write = createAudit({ clock: { now: () => 0 }, repeatsSeconds: 60, log: (line) => lines.push(line) })
    // Right-to-left override, the C1 control that begins a terminal's commands, a line separator, zero width, a tag.
    const user = 'a\u202enimda\u009b2J\u2028\u200b\u{e0041}\nÄ\u{1f600}'
    write('prod-1', { ...RECORD, user }, () => undefined)
    expect(lines[0]).toContain('"a\\u202enimda\\u009b2J\\u2028\\u200b\\udb40\\udc41\\nÄ\u{1f600}"')
    expect(JSON.parse(lines[0] ?? '').user).toBe(user)
  })

  it('is held back while it would repeat the last one of the same identity, then says how many were', () => {
    const { audit, clock, lines } = prepare()
    for (let second = 0; second < 60; second += 1) {
      audit(RECORD)
      clock.advance(1000)
    }
    expect(lines).toHaveLength(1)
    audit(RECORD)
    expect(lines.map(({ repeats }) => repeats)).toEqual([0, 59])
  })

  it('of a user with an endless name is not kept for long, and what was held back of it is still written', () => {
    const { audit, lines } = prepare()
    const access = (user: string): ReviewRecord => ({
      ...RECORD,
      kind: 'SubjectAccessReview',
      user: user + 'x'.repeat(1_000_000),
      fingerprint: undefined,
    })
    for (const _ of [1, 2]) audit(access('first'))
    for (let count = 0; count < 10; count += 1) audit(access(`${count}`))
    expect(lines.map(({ user }) => user?.slice(0, 5)).filter((user) => user === 'first')).toHaveLength(2)
    expect(lines).toHaveLength(12)
  })

  it('is written when the same identity is decided otherwise, after what was held back', () => {
    const { audit, lines } = prepare()
    audit(RECORD)
    audit(RECORD)
    audit(RECORD)
    audit({ ...RECORD, decision: 'deny', reason: 'rejected', user: undefined })
    audit(RECORD)
    expect(lines.map(({ decision, repeats }) => [decision, repeats])).toEqual([
      ['allow', 0],
      ['allow', 1],
      ['deny', 0],
      ['allow', 0],
    ])
  })

  it('of other identities and clusters is never held back for this one', () => {
    const { audit, lines } = prepare()
    audit(RECORD)
    audit({ ...RECORD, fingerprint: '000000000000' })
    audit(RECORD, 'prod-2')
    expect(lines).toHaveLength(3)
  })

  it('of garbage counts as one identity of a cluster', () => {
    const { audit, lines } = prepare()
    const { fingerprint: _, user: __, source: ___, ...rest } = RECORD
    for (let times = 0; times < 1000; times += 1) audit({ ...rest, decision: 'deny', reason: 'malformed' })
    expect(lines).toHaveLength(1)
  })

  it('is written every time with AUDIT_REPEATS_SECONDS 0', () => {
    const { audit, lines } = prepare(0)
    audit(RECORD)
    audit(RECORD)
    expect(lines.map(({ repeats }) => repeats)).toEqual([0, 0])
  })
})

describe('holding back', () => {
  it('loses nothing when a subject is forgotten to make room', () => {
    const clock = createClock()
    let total = 0
    const lines = new LineDeduplicator<null>({
      clock,
      seconds: 60,
      isRepeat: () => true,
      toEntry: () => ({}),
      log: (line) => (total += 1 + JSON.parse(line).repeats),
    })
    for (let times = 0; times < 5; times += 1) lines.add('first', null)
    for (let other = 0; other < 10_000; other += 1) lines.add(`other-${other}`, null)
    expect(total).toBe(10_005)
  })
})

describe('an event', () => {
  it('is written once a minute, however often it happens', () => {
    const clock = createClock()
    const lines: Record<string, unknown>[] = []
    const report = createReportEvent({ clock, log: (line) => lines.push(JSON.parse(line)) })
    for (let second = 0; second <= 60; second += 1) {
      report({ code: 'kv_read_failed' })
      clock.advance(1000)
    }
    expect(lines).toEqual([
      { event: 'error', code: 'kv_read_failed', repeats: 0 },
      { event: 'error', code: 'kv_read_failed', repeats: 59 },
    ])
  })
})
