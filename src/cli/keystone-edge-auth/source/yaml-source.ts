import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
} from 'yaml'
import { parseDocumentText } from '../../../documents/document-text.ts'
import type { Fault } from '../../../lib/fault.ts'
import { err } from '../../../lib/result.ts'
import { isAboutKey, type Segment, toSegments } from './path.ts'
import type { Position } from './position.ts'
import type { LocatedFault, Source } from './source.ts'
import { isNestedTooDeep } from './yaml-depth.ts'

const START: Position = { line: 1, column: 1 }
const MAX_CHARACTERS = 4 * 1024 * 1024

/**
 * A document in YAML 1.2. What the Worker refuses in JSON is refused here too. Anchors and aliases are refused as well:
 * the reader of a policy should see all of it where it stands.
 */
export function toYamlSource(file: string, text: string): Source {
  if (text.length > MAX_CHARACTERS) return refuse(file, text, [{ path: '', message: 'is larger than 4 MiB', ...START }])
  if (isNestedTooDeep(text)) return refuse(file, text, [{ path: '', message: 'is nested too deep', ...START }])
  const lines = new LineCounter()
  const toPosition = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  let documents: readonly Document.Parsed[]
  try {
    documents = parseAll(text, lines)
  } catch {
    return refuse(file, text, [{ path: '', message: 'is nested too deep', ...START }])
  }
  const [document, second] = documents
  if (document === undefined)
    return refuse(file, text, [{ path: '', message: 'is empty; expected a document', ...START }])
  if (second !== undefined) {
    const place = toPosition(second.range[0])
    return refuse(file, text, [{ path: '', message: 'holds several documents; expected one', ...place }])
  }
  const faults = [...findSyntaxFaults(document, toPosition), ...findAnchors(document, toPosition)]
  if (faults.length > 0) return refuse(file, text, faults)
  const value: unknown = document.toJS()
  const locate = (found: readonly Fault[]): readonly LocatedFault[] =>
    found.map((fault) => locateInYaml(document, value, fault, toPosition))
  const read = parseDocumentText(JSON.stringify(value))
  return { file, text, document: read.ok ? read : err(locate(read.error)), locate }
}

function parseAll(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  const parsed = parseAllDocuments(text, { lineCounter, uniqueKeys: true, merge: false, logLevel: 'silent' })
  return Array.isArray(parsed) ? parsed.filter((one) => one.contents !== null || one.errors.length > 0) : []
}

function refuse(file: string, text: string, error: readonly LocatedFault[]): Source {
  return { file, text, document: err(error), locate: (found) => found.map((fault) => ({ ...fault, ...START })) }
}

/** The library's messages quote the text behind a colon and a line break; the first line says enough. */
function findSyntaxFaults(document: Document.Parsed, toPosition: (offset: number) => Position): LocatedFault[] {
  return [...document.errors, ...document.warnings].map(({ code, pos, message }) => ({
    path: '',
    message:
      code === 'DUPLICATE_KEY'
        ? 'is not YAML that can be read: a key is there twice'
        : `is not YAML that can be read: ${(message.split('\n')[0] ?? '').replace(/(?: at line |: ).*$/, '')}`,
    ...toPosition(pos[0]),
  }))
}

function findAnchors(document: Document.Parsed, toPosition: (offset: number) => Position): LocatedFault[] {
  const faults: LocatedFault[] = []
  visit(document, {
    Node(_, node) {
      const what = isAlias(node) ? 'is an alias' : 'anchor' in node && node.anchor !== undefined ? 'has an anchor' : ''
      if (what === '') return
      faults.push({ path: '', message: `${what}: write the value itself`, ...toPosition(node.range?.[0] ?? 0) })
    },
  })
  return faults
}

function locateInYaml(
  document: Document.Parsed,
  value: unknown,
  fault: Fault,
  toPosition: (offset: number) => Position,
): LocatedFault {
  const segments = toSegments(fault.path, value)
  const place = findNode(document.contents, segments)
  const offset = (isAboutKey(fault) ? place.key : undefined) ?? place.value ?? 0
  const isPlain = typeof valueAt(value, segments) === 'number' || typeof valueAt(value, segments) === 'boolean'
  // An id of digits only is a number to YAML.
  const message =
    isPlain && fault.message.startsWith('expected') ? `${fault.message}; in YAML put it in quotes` : fault.message
  return { path: fault.path, message, ...toPosition(offset) }
}

function valueAt(value: unknown, segments: readonly Segment[]): unknown {
  return segments.reduce<unknown>(
    (at, segment) => (typeof at === 'object' && at !== null ? Reflect.get(at, segment) : undefined),
    value,
  )
}

interface Place {
  readonly value: number | undefined
  readonly key: number | undefined
}

function findNode(contents: unknown, segments: readonly Segment[]): Place {
  let node = contents
  let place: Place = { value: startOf(node), key: undefined }
  for (const segment of segments) {
    if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment]
      place = { value: startOf(node), key: undefined }
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))
      if (!isPair(pair)) return place
      const key = startOf(pair.key)
      node = pair.value
      place = { value: startOf(node) ?? key, key }
    } else return place
  }
  return place
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}
