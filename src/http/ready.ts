import type { DocumentState } from '../documents/document-state.ts'
import type { BreakerState } from '../keystone/limits/breaker.ts'
import type { Reachability } from '../keystone/validate.ts'
import type { ExecutionCtx } from '../lib/clock.ts'
import type { Fault } from '../lib/fault.ts'

/** What `/readyz` says to operators who send a caller's credential. */
interface ReadyReport {
  readonly keystone: Reachability
  readonly breaker: BreakerState
  readonly settings: readonly Fault[]
  /** What is valid and most likely not meant. */
  readonly warnings: readonly Fault[]
  /** The documents that decide for the caller's cluster. */
  readonly documents: Readonly<Record<string, DocumentReport>>
}

interface DocumentReport extends Pick<DocumentState<unknown>, 'source' | 'faults'> {
  /** Seconds since the version in force was last read from CONFIG, or stored as last good. */
  readonly ageSeconds: number
  readonly digest: string | null
}

/** What the report is made of. */
export interface Readiness {
  readonly settings: readonly Fault[]
  report(cluster: string, ctx: ExecutionCtx): Promise<ReadyReport>
}

/** Ready: Keystone answers, no setting is faulty, and the newest version of every document is in force. */
export function isReady({ keystone, settings, documents }: ReadyReport): boolean {
  return (
    keystone.reachable && settings.length === 0 && Object.values(documents).every(({ faults }) => faults.length === 0)
  )
}

/** A document's state in the words of the report. */
export function toDocumentReport(
  { source, digest, seenAtMs, faults }: DocumentState<unknown>,
  nowMs: number,
): DocumentReport {
  return { source, ageSeconds: Math.max(0, Math.round((nowMs - seenAtMs) / 1000)), digest: digest ?? null, faults }
}

/** The names of faulty settings, without their faults: for anyone, while no caller can be identified. */
export function namesOf(settings: readonly Fault[]): readonly string[] {
  return [...new Set(settings.map(({ path }) => path.split(/[.[]/)[0] ?? ''))]
}
