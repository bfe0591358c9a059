import { parseDocumentText } from '../../../documents/document-text.ts'
import { scanJson } from '../../../documents/json-syntax.ts'
import type { Fault } from '../../../lib/fault.ts'
import { err, type Result } from '../../../lib/result.ts'
import { isAboutKey, type Segment, toSegments } from './path.ts'
import { createPositions } from './position.ts'
import type { LocatedFault, Source } from './source.ts'

/** Of a larger text nothing is read. */
const MAX_CHARACTERS = 4 * 1024 * 1024

/** A document in JSON, read as the Worker reads it. */
export function toJsonSource(file: string, text: string): Source {
  const document = parseDocumentText(text)
  // Faults of duplicate keys need the value as well, to be located.
  const locate = (faults: readonly Fault[]): readonly LocatedFault[] =>
    faults.length === 0 ? [] : locateInJson(text, parseOrNothing(text), faults)
  if (text.length > MAX_CHARACTERS) return { file, text, document: err(locateAtStart(document)), locate }
  if (document.ok) return { file, text, document, locate }
  const { error } = document
  return { file, text, document: err(isSyntax(error) ? locateSyntaxError(text, error) : locate(error)), locate }
}

function locateAtStart(document: Result<unknown, readonly Fault[]>): readonly LocatedFault[] {
  return document.ok ? [] : document.error.map((fault) => ({ ...fault, line: 1, column: 1 }))
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isSyntax([fault]: readonly Fault[]): boolean {
  return fault !== undefined && fault.path === '' && /^is not JSON:|^looks like YAML/.test(fault.message)
}

function locateSyntaxError(text: string, faults: readonly Fault[]): readonly LocatedFault[] {
  // YAML in a .json file stops being JSON at its start at the latest.
  const { line, column } = scanJson(text.replace(/^\uFEFF/, '')).syntaxError ?? { line: 1, column: 1 }
  return faults.map(({ path, message }) => ({
    path,
    message: message.replace(/line \d+, column \d+: /, ''),
    line,
    column,
  }))
}

/** Strings (with what tells keys from values behind them), the characters of JSON's structure, and all other values. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\],]|[^\s{}[\],:"]+/g

function locateInJson(text: string, value: unknown, faults: readonly Fault[]): readonly LocatedFault[] {
  const toPosition = createPositions(text)
  const wanted = faults.map((fault) => ({ segments: toSegments(fault.path, value), isKey: isAboutKey(fault) }))
  const found = findOffsets(
    text,
    wanted.map(({ segments }) => segments),
  )
  return faults.map((fault, index) => {
    const { segments, isKey } = wanted[index] ?? { segments: [], isKey: false }
    const place = found.get(toKey(segments))
    return { ...fault, ...toPosition((isKey ? place?.key : place?.value) ?? place?.value ?? 0) }
  })
}

interface Place {
  /** Where the value begins, and where its key does. */
  readonly value: number
  readonly key: number | undefined
}

/** The places of the wanted values. Of two keys of one name it is the last, which is the one that JSON.parse keeps. */
function findOffsets(text: string, wanted: readonly (readonly Segment[])[]): ReadonlyMap<string, Place> {
  const missing = new Set(wanted.map(toKey))
  const deepest = Math.max(0, ...wanted.map((segments) => segments.length))
  const found = new Map<string, Place>()
  const levels: { at: Segment; isList: boolean }[] = []
  let key: number | undefined
  const meetValue = (offset: number): void => {
    // A path that is longer than all that are wanted would cost the square of the depth.
    if (levels.length <= deepest) {
      const path = toKey(levels.map(({ at }) => at))
      if (missing.has(path)) found.set(path, { value: offset, key })
    }
    key = undefined
  }
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, colon] = match
    const level = levels.at(-1)
    if (string !== undefined && colon !== undefined && level !== undefined && !level.isList) {
      level.at = String(JSON.parse(string))
      key = match.index
    } else if (token === '{' || token === '[') {
      meetValue(match.index)
      levels.push({ at: token === '[' ? 0 : '', isList: token === '[' })
    } else if (token === '}' || token === ']') levels.pop()
    else if (token === ',') {
      if (level !== undefined && typeof level.at === 'number') level.at += 1
    } else meetValue(match.index)
  }
  return found
}

function toKey(segments: readonly Segment[]): string {
  return JSON.stringify(segments)
}
