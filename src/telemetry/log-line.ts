import { escapeHiddenCharacters } from '../lib/hidden-characters.ts'

/**
 * An entry of the log: JSON on one line. Names in it are other people's, so what a terminal acts on, or draws as
 * something else than it is, stands as an escape: a name can neither hide nor forge a part of a line.
 */
export function toLogLine(entry: Readonly<Record<string, unknown>>): string {
  return escapeHiddenCharacters(JSON.stringify(entry))
}
