import type { Fault } from '../lib/fault.ts'

const MAX_FAULTS = 100
/** Paths hold keys of the document, and examples quote groups: both are as long as whoever wrote them liked. */
const MAX_CHARACTERS = 500

/** As many faults as a person reads; a list of half a million mistyped rules must fit into a log line and an answer. */
export function limitFaults(faults: readonly Fault[]): readonly Fault[] {
  const shown = faults
    .slice(0, MAX_FAULTS)
    .map(({ path, message }) => ({ path: shorten(path), message: shorten(message) }))
  const more = faults.length - shown.length
  return more === 0 ? shown : [...shown, { path: '', message: `and ${more} more` }]
}

function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`
}
