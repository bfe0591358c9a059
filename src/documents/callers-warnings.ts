import * as v from 'valibot'
import type { Warning } from '../lib/fault.ts'
import { CallersDocumentSchema } from './callers.ts'

/** What is valid in a document `callers` and most likely not meant. A document with faults has none. */
export function findCallersWarnings(document: unknown): Warning[] {
  const parsed = v.safeParse(CallersDocumentSchema, document)
  if (!parsed.success) return []
  return Object.entries(parsed.output).flatMap(([cluster, entry]) => {
    if (entry === undefined || typeof entry === 'string') return []
    if (entry.credentials.length === 0)
      return [{ path: `${cluster}.credentials`, message: 'is empty: nobody can ask for this cluster' }]
    return entry.credentials.flatMap((credential, index) =>
      entry.credentials.indexOf(credential) < index
        ? [{ path: `${cluster}.credentials[${index}]`, message: 'is listed twice' }]
        : [],
    )
  })
}
