import type { Clock } from '../lib/clock.ts'
import type { Fault } from '../lib/fault.ts'
import { LineDeduplicator } from './line-deduplicator.ts'

/** What operators are told outside of reviews. Closed, and free of anything that a request carries. */
type OperationalEvent =
  | { readonly code: 'settings_faulty'; readonly faults: readonly Fault[] }
  | { readonly code: 'settings_warning'; readonly warnings: readonly Fault[] }
  /** A version of a document that is not in force; its key and the SHA-256 of its text. */
  | {
      readonly code: 'document_faulty'
      readonly document: string
      readonly digest: string
      readonly faults: readonly Fault[]
    }
  | { readonly code: 'kv_read_failed' | 'kv_read_slow' | 'kv_write_failed' }
  /** The rate limit LOOKUPS could not be asked, and was passed over. */
  | { readonly code: 'lookups_failed' }
  /** BASIC_AUTH_URL answers something else than 401 without credentials, so HTTP Basic is off. */
  | { readonly code: 'basic_unprotected'; readonly status: number }
  /** The dataset `METRICS` threw; points are missing. */
  | { readonly code: 'metrics_failed' }
  /** A bug: the error's class and where it was thrown, without its message, which could hold anything. */
  | { readonly code: 'unexpected'; readonly error: string; readonly at: readonly string[] }

export type ReportEvent = (event: OperationalEvent) => void

const REPEATS_SECONDS = 60

/** One JSON line an event; the same event again within a minute is counted and not written. */
export function createReportEvent(deps: {
  readonly clock: Pick<Clock, 'now'>
  readonly log: (line: string) => void
}): ReportEvent {
  const lines = new LineDeduplicator<OperationalEvent>({
    ...deps,
    seconds: REPEATS_SECONDS,
    isRepeat: (event, last) => JSON.stringify(event) === JSON.stringify(last),
    toEntry: (event) => ({ event: 'error', ...event }),
  })
  return (event) => lines.add('document' in event ? event.document : event.code, event)
}

/** An unexpected exception, as an event: class and stack frames only. */
export function describeUnexpected(error: unknown): OperationalEvent {
  if (!(error instanceof Error)) return { code: 'unexpected', error: typeof error, at: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { code: 'unexpected', error: error.constructor.name, at: frames.slice(0, 5).map((line) => line.trim()) }
}
