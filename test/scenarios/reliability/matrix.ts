import type { AuditReason, ReviewRecord } from '../../../src/telemetry/audit.ts'
import type { KeystoneFaultName, KvFaultName } from '../../support/faults.ts'

// The fault matrix: what is promised for every fault and every state of a token. fault-matrix.test.ts runs every cell,
// matrix-docs.test.ts holds docs/reliability.md to it.

/** What the isolate that answers, and KV, know of the token. */
export const STATES = [
  'new token',
  'memory',
  'KV',
  'stale',
  'stale in KV',
  'refused',
  /** Known, then refused here, and REJECTION_TTL_SECONDS ago; KV still serves the identity from before. */
  'refused before',
] as const
export type State = (typeof STATES)[number]

/** What a review comes to. */
export interface Cell {
  readonly answer: 'yes' | 'stale' | 'no' | 'cannot tell'
  readonly reason: AuditReason
  readonly source: NonNullable<ReviewRecord['source']>
  /** That Keystone is sent. */
  readonly requests: number
  /** When the answer is there; nothing takes longer. */
  readonly tookMs: number
}

/** A cell for each of `STATES`, in their order. */
export type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell]

const MEMORY = yes('memory')
const KV = yes('kv')
/** Keystone is asked for the token and for the groups, and says yes. */
const ASKED = yes('keystone', 2)
const REFUSED = no('memory')

// A lost connection is tried once more; nothing else is.
const NETWORK = cannotTell('keystone_network', 2)
const LOST = cannotTell('keystone_network', 1)
const TIMEOUT = cannotTell('keystone_timeout', 1, 5000)
const STATUS = cannotTell('keystone_status', 1)
const REDIRECT = cannotTell('keystone_redirect', 1)
const MALFORMED = cannotTell('keystone_malformed', 1)
const TOO_LARGE = cannotTell('keystone_too_large', 1)
const NO = no('keystone', 1)
const STALE = stale(1)
const STALE_TRIED_TWICE = stale(2)
const STALE_AFTER_TIMEOUT = stale(1, 5000)
const SLOW = yes('keystone', 2, 4000)

/** Keystone fails, KV is well. */
export const KEYSTONE: Readonly<Record<KeystoneFaultName, Row>> = {
  'is well': [ASKED, MEMORY, KV, ASKED, ASKED, REFUSED, ASKED],
  'refuses the connection': [NETWORK, MEMORY, KV, STALE_TRIED_TWICE, STALE_TRIED_TWICE, REFUSED, NETWORK],
  'resets the connection': [NETWORK, MEMORY, KV, STALE_TRIED_TWICE, STALE_TRIED_TWICE, REFUSED, NETWORK],
  'resets inside the answer': [LOST, MEMORY, KV, STALE, STALE, REFUSED, LOST],
  hangs: [TIMEOUT, MEMORY, KV, STALE_AFTER_TIMEOUT, STALE_AFTER_TIMEOUT, REFUSED, TIMEOUT],
  'hangs inside the answer': [TIMEOUT, MEMORY, KV, STALE_AFTER_TIMEOUT, STALE_AFTER_TIMEOUT, REFUSED, TIMEOUT],
  'is slow, 4 s': [SLOW, MEMORY, KV, SLOW, SLOW, REFUSED, SLOW],
  'answers 401, its own': [NO, MEMORY, KV, NO, NO, REFUSED, NO],
  'answers 404, its own': [NO, MEMORY, KV, NO, NO, REFUSED, NO],
  'answers 401, a page': [MALFORMED, MEMORY, KV, MALFORMED, MALFORMED, REFUSED, MALFORMED],
  'answers 404, a page': [MALFORMED, MEMORY, KV, MALFORMED, MALFORMED, REFUSED, MALFORMED],
  'answers 403': [STATUS, MEMORY, KV, STATUS, STATUS, REFUSED, STATUS],
  'answers 429': [STATUS, MEMORY, KV, STATUS, STATUS, REFUSED, STATUS],
  'answers 500': [STATUS, MEMORY, KV, STALE, STALE, REFUSED, STATUS],
  'answers 502': [STATUS, MEMORY, KV, STALE, STALE, REFUSED, STATUS],
  'answers 503': [STATUS, MEMORY, KV, STALE, STALE, REFUSED, STATUS],
  'answers 504': [STATUS, MEMORY, KV, STALE, STALE, REFUSED, STATUS],
  'answers 501': [STATUS, MEMORY, KV, STATUS, STATUS, REFUSED, STATUS],
  'answers 505': [STATUS, MEMORY, KV, STATUS, STATUS, REFUSED, STATUS],
  'answers a redirect': [REDIRECT, MEMORY, KV, REDIRECT, REDIRECT, REFUSED, REDIRECT],
  'answers a page': [MALFORMED, MEMORY, KV, MALFORMED, MALFORMED, REFUSED, MALFORMED],
  'answers truncated JSON': [MALFORMED, MEMORY, KV, MALFORMED, MALFORMED, REFUSED, MALFORMED],
  'answers 5 MiB': [TOO_LARGE, MEMORY, KV, TOO_LARGE, TOO_LARGE, REFUSED, TOO_LARGE],
}

const ASKED_400 = yes('keystone', 2, 400)
const ASKED_500 = yes('keystone', 2, 500)
const KV_400 = yes('kv', 0, 400)

/** KV fails, Keystone is well. */
export const KV_ALONE: Readonly<Record<Exclude<KvFaultName, 'is well'>, Row>> = {
  'read fails': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
  'read throws at once': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
  'is slow, 0.4 s': [ASKED_400, MEMORY, KV_400, ASKED_400, ASKED_400, REFUSED, ASKED_400],
  'read hangs': [ASKED_500, MEMORY, ASKED_500, ASKED_500, ASKED_500, REFUSED, ASKED_500],
  'write fails': [ASKED, MEMORY, KV, ASKED, ASKED, REFUSED, ASKED],
  'write hangs': [ASKED, MEMORY, KV, ASKED, ASKED, REFUSED, ASKED],
  'read and write fail': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
  'serves old': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
  'serves garbage': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
  'serves a cached absence': [ASKED, MEMORY, ASKED, ASKED, ASKED, REFUSED, ASKED],
}

const DOWN = NETWORK
const DOWN_400 = cannotTell('keystone_network', 2, 400)
const DOWN_500 = cannotTell('keystone_network', 2, 500)
const STALE_0 = stale(2)
const STALE_400 = stale(2, 400)
const STALE_500 = stale(2, 500)

/** KV fails while Keystone refuses connections. */
export const KV_AND_KEYSTONE: Readonly<Record<Exclude<KvFaultName, 'is well'>, Row>> = {
  'read fails': [DOWN, MEMORY, DOWN, STALE_0, DOWN, REFUSED, DOWN],
  'read throws at once': [DOWN, MEMORY, DOWN, STALE_0, DOWN, REFUSED, DOWN],
  'is slow, 0.4 s': [DOWN_400, MEMORY, KV_400, STALE_400, STALE_400, REFUSED, DOWN_400],
  'read hangs': [DOWN_500, MEMORY, DOWN_500, STALE_500, DOWN_500, REFUSED, DOWN_500],
  'write fails': [DOWN, MEMORY, KV, STALE_0, STALE_0, REFUSED, DOWN],
  'write hangs': [DOWN, MEMORY, KV, STALE_0, STALE_0, REFUSED, DOWN],
  'read and write fail': [DOWN, MEMORY, DOWN, STALE_0, DOWN, REFUSED, DOWN],
  'serves old': [DOWN, MEMORY, STALE_0, STALE_0, STALE_0, REFUSED, DOWN],
  'serves garbage': [DOWN, MEMORY, DOWN, STALE_0, DOWN, REFUSED, DOWN],
  'serves a cached absence': [DOWN, MEMORY, DOWN, STALE_0, DOWN, REFUSED, DOWN],
}

/** A cell as docs/reliability.md has it. */
export function describeCell({ answer, reason, source, requests, tookMs }: Cell): string {
  const cost = [...(requests > 0 ? [`${requests}`] : []), ...(tookMs > 0 ? [`${tookMs / 1000} s`] : [])]
  const words = {
    yes: requests > 0 ? 'yes' : `yes (${source === 'kv' ? 'KV' : source})`,
    stale: 'stale',
    no: requests > 0 ? 'no' : `no (${source})`,
    'cannot tell': `cannot tell (${reason.replace('keystone_', '')})`,
  }
  return [words[answer], ...cost].join(', ')
}

function yes(source: 'memory' | 'kv' | 'keystone', requests = 0, tookMs = 0): Cell {
  return { answer: 'yes', reason: 'authenticated', source, requests, tookMs }
}

function stale(requests: number, tookMs = 0): Cell {
  return { answer: 'stale', reason: 'authenticated', source: 'stale', requests, tookMs }
}

function no(source: 'memory' | 'keystone', requests = 0): Cell {
  return { answer: 'no', reason: 'rejected', source, requests, tookMs: 0 }
}

function cannotTell(reason: AuditReason, requests: number, tookMs = 0): Cell {
  return { answer: 'cannot tell', reason, source: 'keystone', requests, tookMs }
}
