import { createHoldBack } from './hold-back.ts'

/** What operators are told outside of reviews. Closed, and free of anything that a request carries. */
export type OperationalEvent =
  | { readonly code: 'settings_faulty'; readonly faults: readonly { path: string; message: string }[] }
  | { readonly code: 'kv_read_failed' | 'kv_read_slow' | 'kv_write_failed' }
  /** A bug: the error's class and where it was thrown, without its message, which could hold anything. */
  | { readonly code: 'unexpected'; readonly error: string; readonly at: readonly string[] }

export type ReportEvent = (event: OperationalEvent) => void

const REPEATS_SECONDS = 60

/** One JSON line an event; the same event again within a minute is counted and not written. */
export function createReportEvent(deps: { now: () => number; log: (line: string) => void }): ReportEvent {
  const holdBack = createHoldBack<OperationalEvent>({
    now: deps.now,
    seconds: REPEATS_SECONDS,
    write: (event, repeats) => deps.log(JSON.stringify({ event: 'error', ...event, repeats })),
  })
  return (event) => holdBack(event.code, JSON.stringify(event), event)
}

/** An exception nobody foresaw, as an event: class and stack frames only. */
export function describeUnexpected(error: unknown): OperationalEvent {
  if (!(error instanceof Error)) return { code: 'unexpected', error: typeof error, at: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { code: 'unexpected', error: error.constructor.name, at: frames.slice(0, 5).map((line) => line.trim()) }
}
