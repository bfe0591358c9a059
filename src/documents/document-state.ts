import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** A document as it stands in this isolate. */
export interface DocumentState<T> {
  /** The value in force, if any. */
  readonly value: T | undefined
  /**
   * `config`: the newest version in CONFIG is in force. `last-good`: an earlier version is. `none`: there is no version,
   * as far as CONFIG and CACHE tell (with a fault where one of them does not). `unreadable`: there is or may be a
   * version, and none can be used; never treated as `none`.
   */
  readonly source: 'config' | 'last-good' | 'none' | 'unreadable'
  /** SHA-256 of the text in force, as hex. */
  readonly digest: string | undefined
  /** When the version in force was last read from CONFIG, or stored as last good. */
  readonly seenAtMs: number
  /** Why the newest version in CONFIG is not in force; empty if it is. */
  readonly faults: readonly Fault[]
  /** Whether CONFIG held a text, valid or not, when it could last be read; `undefined`: it never could. */
  readonly isInConfig: boolean | undefined
}

/** What one read of CONFIG gave. */
export type ConfigRead<T> =
  | { readonly kind: 'valid'; readonly value: T; readonly digest: string; readonly text?: string }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] }
  | { readonly kind: 'absent' | 'unreadable' }

/** The last good version, with its value; `undefined`: there is none. `invalid`: this release does not accept it. */
export type StoredVersion<T> = Result<
  { readonly value: T; readonly digest: string; readonly savedAtMs: number } | undefined,
  'unreadable' | 'spoilt' | 'invalid'
>

const NOT_READ: Fault = { path: '', message: 'cannot be read from CONFIG now' }
const DELETED: Fault = { path: '', message: 'was deleted, which is no edit; put {} to empty it' }
const UNCERTAIN: Fault = { path: '', message: 'is not there, and whether it ever was cannot be read from CACHE now' }

/** The state of a document that no read has told anything about. */
export const NOTHING_READ: DocumentState<never> = {
  value: undefined,
  source: 'unreadable',
  digest: undefined,
  seenAtMs: 0,
  faults: [NOT_READ],
  isInConfig: undefined,
}

/**
 * The state after a read of CONFIG: the newest version if it is valid, else the version that was in force here, else the
 * last good one. Never worse than before: deleting a document and an outage of CONFIG leave in force what was.
 */
export function nextState<T>(
  previous: DocumentState<T> | undefined,
  read: ConfigRead<T>,
  stored: StoredVersion<T>,
  nowMs: number,
): DocumentState<T> {
  const isInConfig = read.kind === 'unreadable' ? previous?.isInConfig : read.kind !== 'absent'
  if (read.kind === 'valid') {
    const { value, digest } = read
    return { value, source: 'config', digest, seenAtMs: nowMs, faults: [], isInConfig }
  }
  const faults = read.kind === 'faulty' ? read.faults : [read.kind === 'absent' ? DELETED : NOT_READ]
  if (previous?.value !== undefined) return { ...previous, source: 'last-good', faults, isInConfig }
  if (stored.ok && stored.value !== undefined) {
    const { value, digest, savedAtMs } = stored.value
    return { value, source: 'last-good', digest, seenAtMs: savedAtMs, faults, isInConfig }
  }
  const nothing = { value: undefined, digest: undefined, seenAtMs: nowMs, isInConfig }
  const isInvalid = !stored.ok && stored.error === 'invalid'
  if (read.kind === 'absent' && !isInvalid) {
    return { ...nothing, source: 'none', faults: stored.ok ? [] : [UNCERTAIN] }
  }
  // A new isolate in which CONFIG cannot be read takes CACHE's word that there is no such document.
  const isNone = read.kind === 'unreadable' && (isInConfig === undefined ? stored.ok : !isInConfig)
  return { ...nothing, source: isNone ? 'none' : 'unreadable', faults }
}

/** The value in force. `none` only where it is certain that there is no document. */
export function inForce<T>({ value, source, faults }: DocumentState<T>): Result<T, 'none' | 'unreadable'> {
  if (value !== undefined) return ok(value)
  return err(source === 'none' && faults.length === 0 ? 'none' : 'unreadable')
}
