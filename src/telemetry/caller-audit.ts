import type { Clock } from '../lib/clock.ts'
import { LineDeduplicator } from './line-deduplicator.ts'

/** Why a caller was refused. Closed: a new reason is added here first. */
export type CallerReason =
  | 'no_credential'
  /** A bearer token that is not listed, or an `Authorization` of another kind. */
  | 'unknown_credential'
  /** Nobody can be known: the document and the secret are missing, empty or faulty. */
  | 'no_callers'
  | 'unlisted_certificate'
  | `certificate_${'unverified' | 'revoked' | 'malformed'}`
  /** A good credential, and a path that names another cluster. */
  | 'wrong_cluster'

/** A caller that was not let in. */
export interface CallerRefusal {
  readonly reason: CallerReason
  /** Of the credential, when it is a listed one. */
  readonly cluster?: string | undefined
}

/** Where it came from. Everything is checked for its syntax, and none of it is part of a credential. */
export interface CallerOrigin {
  readonly pathCluster: string | undefined
  readonly address: string | undefined
  readonly ray: string | undefined
}

/** Leaves the audit line of a refused caller; `readOrigin` is called only for a line that is written now. */
export type AuditCaller = (refusal: CallerRefusal, readOrigin: () => CallerOrigin) => void

interface CallerAuditDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly log: (line: string) => void
  /** Counts what a line stands for: itself and its repeats. */
  readonly measure?: ((refusal: CallerRefusal, callers: number) => void) | undefined
}

/** Not `AUDIT_REPEATS_SECONDS`, which may be 0: anyone on the internet can be refused as often as he likes. */
const REPEATS_SECONDS = 60

/**
 * One JSON line a minute at most for each reason and listed cluster, with the others counted in `repeats`. Nothing that
 * a caller chooses tells two lines apart, so a flood costs an isolate as many lines as there are reasons; only whoever
 * holds a cluster's credential gets lines of that cluster.
 */
export function createCallerAudit({ clock, log, measure }: CallerAuditDeps): AuditCaller {
  const lines = new LineDeduplicator<CallerRefusal, CallerOrigin>({
    clock,
    log,
    seconds: REPEATS_SECONDS,
    isRepeat: () => true,
    toEntry: (refusal, origin) => ({ event: 'caller', ...refusal, ...origin }),
    onWritten: measure,
  })
  return (refusal, readOrigin) => lines.add(`${refusal.reason}\n${refusal.cluster ?? ''}`, refusal, readOrigin)
}
