import type { Fault } from '../../../lib/fault.ts'
import type { Result } from '../../../lib/result.ts'

/** A fault or a warning with its place in the file. */
export interface LocatedFault extends Fault {
  /** From 1; columns count UTF-16 units, as editors do. */
  readonly line: number
  readonly column: number
}

/** A file's text, and what was read from it. */
export interface Source {
  /** As the user named the file. */
  readonly file: string
  readonly text: string
  /** The document, or why there is none. */
  readonly document: Result<unknown, readonly LocatedFault[]>
  /** The places of paths of the document. */
  readonly locate: (faults: readonly Fault[]) => readonly LocatedFault[]
}
