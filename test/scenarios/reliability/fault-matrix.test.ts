import { describe, expect, it } from 'vitest'
import type { KeystoneFaultName, KvFaultName } from '../../support/faults.ts'
import { type Cell, describeCell, KEYSTONE, KV_ALONE, KV_AND_KEYSTONE, type Row, STATES, type State } from './matrix.ts'
import { prepare, type Stage, type TimedAnswer } from './reliability-stage.ts'

// Every cell of the matrix, in workerd with the real KV behind the faults, and what follows once all is well again.

const TABLES: readonly [string, Readonly<Record<string, Row>>, (fault: string) => Parameters<Stage['suffer']>[0]][] = [
  ['Keystone', KEYSTONE, (fault) => ({ keystone: fault as KeystoneFaultName })],
  ['KV', KV_ALONE, (fault) => ({ kv: fault as KvFaultName })],
  [
    'Keystone refuses connections and KV',
    KV_AND_KEYSTONE,
    (fault) => ({ kv: fault as KvFaultName, keystone: 'refuses the connection' }),
  ],
]

const DECISIONS = { yes: 'allow', stale: 'allow', no: 'deny', 'cannot tell': 'unknown' } as const
const STALE_KEY = 'keystone-edge-auth/stale'

for (const [subject, rows, toFaults] of TABLES) {
  describe.each(Object.entries(rows))(`${subject}: %s`, (fault, row) => {
    for (const [index, state] of STATES.entries()) {
      const cell = row[index]
      if (cell === undefined) throw new Error(`no cell for ${state}`)
      it(`${state}: ${describeCell(cell)}`, async () => {
        const stage = await prepare(state)
        stage.suffer(toFaults(fault))
        expectCell(stage, await stage.review(), cell)
        stage.suffer({})
        await expectRecovery(stage, cell, state)
      })
    }
  })
}

function expectCell({ webhook, token }: Stage, { answer, tookMs, requests }: TimedAnswer, cell: Cell): void {
  expect([answer.status, answer.headers.get('Retry-After')]).toEqual([200, null])
  expect(answer.json.status).toEqual(statusOf(cell))
  expect(answer.json.status.user?.extra[STALE_KEY]).toEqual(cell.answer === 'stale' ? ['true'] : undefined)
  expect({ requests, tookMs }).toEqual({ requests: cell.requests, tookMs: cell.tookMs })
  const line = webhook.reviews().at(-1)
  expect(line).toMatchObject({ decision: DECISIONS[cell.answer], reason: cell.reason, source: cell.source })
  expect(line?.fingerprint).toMatch(/^[0-9a-f]{12}$/)
  expect(Number(line?.keystoneCalls) > 0).toBe(cell.requests > 0)
  for (const said of [JSON.stringify(webhook.log), answer.text, JSON.stringify([...answer.headers])]) {
    expect(said).not.toContain(token)
  }
}

function statusOf({ answer }: Cell): object {
  switch (answer) {
    case 'yes':
    case 'stale':
      return { authenticated: true, user: expect.objectContaining({ username: 'alice' }) }
    case 'no':
      return { authenticated: false }
    case 'cannot tell':
      return { authenticated: false, error: expect.stringContaining('Keystone cannot be asked now') }
  }
}

const AGAIN = { reason: 'authenticated', tookMs: 0 } as const
const FROM_MEMORY: Cell = { ...AGAIN, answer: 'yes', source: 'memory', requests: 0 }
const FROM_KV: Cell = { ...AGAIN, answer: 'yes', source: 'kv', requests: 0 }
const FROM_KEYSTONE: Cell = { ...AGAIN, answer: 'yes', source: 'keystone', requests: 2 }
const STALE: Cell = { ...AGAIN, answer: 'stale', source: 'stale', requests: 0 }
const REFUSED: Cell = { answer: 'no', reason: 'rejected', source: 'memory', requests: 0, tookMs: 0 }

/** What the next reviews come to, with everything well again: a failure is never remembered as if it were a verdict. */
async function expectRecovery(stage: Stage, { answer }: Cell, state: State): Promise<void> {
  const expectNext = async (cell: Cell): Promise<void> => expectCell(stage, await stage.review(), cell)
  switch (answer) {
    case 'yes':
      return expectNext(FROM_MEMORY)
    case 'cannot tell':
      return expectNext(state === 'KV' ? FROM_KV : FROM_KEYSTONE)
    case 'no':
      await expectNext(REFUSED)
      stage.clock.advance(30_000)
      return expectNext(FROM_KEYSTONE)
    case 'stale':
      return expectStaleRecovery(stage, state)
  }
}

/** Five seconds later the answer is still stale and at once, and Keystone is asked behind it. */
async function expectStaleRecovery(stage: Stage, state: State): Promise<void> {
  stage.clock.advance(5000)
  const before = stage.webhook.keystoneRequests.length
  const { answer, tookMs } = await stage.review()
  expect([answer.json.status.user.extra[STALE_KEY], tookMs]).toEqual([['true'], 0])
  expect(stage.webhook.reviews().at(-1)).toMatchObject({ source: STALE.source, keystoneCalls: 0 })
  await stage.idle()
  // KV has the younger identity by which another isolate goes, once it serves that.
  expect(stage.webhook.keystoneRequests.length - before).toBe(state === 'KV' ? 0 : 2)
  expectCell(stage, await stage.review(), FROM_MEMORY)
}
