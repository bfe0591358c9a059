import type { Clock } from '../lib/clock.ts'
import { LineDeduplicator } from './line-deduplicator.ts'

/** Why a review was decided as it was. Closed: a new reason is added here first. */
export type AuditReason =
  | 'authenticated'
  /** Let in without Keystone groups: Keystone answered 403 or 404 to the question for them. */
  | 'groups_refused'
  | 'malformed'
  /** A JWS that none of the keys in `keystone-keys` signed: Keystone was not asked. */
  | 'bad_signature'
  | 'rejected'
  | 'expired'
  | 'access_rules'
  | 'denied'
  | `${'scope' | 'domain' | 'project'}_not_allowed`
  | 'no_mapping'
  | 'documents'
  /** The entry of the policy that allows, by its path. */
  | `policy ${string}`
  | 'no_match'
  /** The user carries none of Keystone's own `extra`: policies have no opinion. */
  | 'not_keystone'
  | 'no_policy'
  | 'reserved_name'
  | `keystone_${'timeout' | 'network' | 'status' | 'redirect' | 'malformed' | 'too_large'}`
  /** Keystone was not asked at all. */
  | `keystone_${'breaker_open' | 'rate_limited' | 'busy'}`
  /** The HTTP Basic service of BASIC_AUTH_URL; `guessing`: too many wrong passwords. */
  | `basic_${'timeout' | 'network' | 'status' | 'redirect' | 'malformed' | 'too_large'}`
  | `basic_${'breaker_open' | 'rate_limited' | 'busy' | 'guessing' | 'unchecked'}`
  | 'settings'
  | 'unexpected'

/** Everything that an audit line may say. Nothing in it can hold a token. */
export interface ReviewRecord {
  readonly kind: 'TokenReview' | 'SubjectAccessReview'
  readonly apiVersion: string
  readonly decision: 'allow' | 'deny' | 'no_opinion' | 'unknown'
  readonly reason: AuditReason
  /** The Kubernetes user name, when there is one. */
  readonly user?: string | undefined
  /** What answered; absent when nothing was asked. */
  readonly source?: 'memory' | 'kv' | 'keystone' | 'stale' | 'static' | 'basic' | 'policy' | undefined
  /** The first 12 hex digits of the token's fingerprint; absent when it was refused by its shape. */
  readonly fingerprint?: string | undefined
  readonly keystoneCalls: number
  readonly keystoneMs: number
  /** Groups left out because they could pass as something else. */
  readonly leftOut: number
}

/** An answer to a review, ready to send, and what its audit line says. */
export interface Answer {
  /** The encoded review. */
  readonly body: string
  readonly record: ReviewRecord
}

/**
 * Leaves the audit line of a review. `readRay` gives Cloudflare's id of the request; it is called only for a line that
 * is written now, as it reads a header.
 */
export type Audit = (cluster: string, record: ReviewRecord, readRay: () => string | undefined) => void

interface Line {
  readonly cluster: string
  readonly record: ReviewRecord
}

interface AuditDeps {
  readonly clock: Pick<Clock, 'now'>
  /** `AUDIT_REPEATS_SECONDS`. */
  readonly repeatsSeconds: number
  readonly log: (line: string) => void
}

/** One JSON line a review. A line that repeats the last one of the same identity is held back and counted in `repeats`. */
export function createAudit({ clock, repeatsSeconds, log }: AuditDeps): Audit {
  const toEntry = ({ cluster, record }: Line, ray: string | undefined) => ({ event: 'review', ...record, cluster, ray })
  const lines = new LineDeduplicator<Line, string | undefined>({
    clock,
    log,
    seconds: repeatsSeconds,
    isRepeat,
    toEntry,
  })
  return (cluster, record, readRay) => {
    const line = { cluster, record }
    lines.add(subjectOf(line), line, readRay)
  }
}

// All tokens that were refused by their shape count as one identity of a cluster: garbage arrives by the thousand.
// A user's requests are one subject for each entry that allows them, and one for each reason why none does.
function subjectOf({ cluster, record }: Line): string {
  if (record.fingerprint !== undefined) return `${cluster}\n${record.fingerprint}`
  return `${cluster}\n${record.kind}\n${record.reason}\n${record.kind === 'SubjectAccessReview' ? record.user : ''}`
}

function isRepeat({ record }: Line, { record: last }: Line): boolean {
  return (
    record.reason === last.reason &&
    record.source === last.source &&
    record.user === last.user &&
    record.apiVersion === last.apiVersion &&
    record.decision === last.decision &&
    record.leftOut === last.leftOut
  )
}
