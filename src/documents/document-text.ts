import { type Fault, toPath } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { findSyntaxError } from './json-syntax.ts'

/** Reads the value of a document from its text (`ofJson` for JSON); `digest` is the SHA-256 of the text, as hex. */
export type DocumentParser<T> = (
  text: string,
  digest: string,
) => Result<T, readonly Fault[]> | Promise<Result<T, readonly Fault[]>>

/** 10,000 rules, or 500 clusters with their credentials, are about 1 MB. */
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_DEPTH = 32

/**
 * Reads a document's text. Stricter than JSON.parse where that would hide a mistake: of two keys of one name it keeps
 * the last, so that a second `deny` would undo the first.
 */
export function parseDocumentText(text: string): Result<unknown, readonly Fault[]> {
  if (text.length > MAX_CHARACTERS) return err([{ path: '', message: 'is larger than 4 MiB' }])
  // Editors on Windows put a byte order mark there.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return err([{ path: '', message: explainSyntax(json) }])
  }
  if (isConfigMap(value)) return err([{ path: '', message: CONFIG_MAP }])
  const faults = findHiddenKeys(json)
  return faults.length > 0 ? err(faults) : ok(value)
}

const CONFIG_MAP =
  "is a ConfigMap: put what it holds, for a policy: kubectl get configmap NAME -n NAMESPACE -o jsonpath='{.data.policies}'"
/** The first line that says something is a key without quotes, a list item, or the start of a YAML document. */
const YAML = /^(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:---|%YAML|- |-\r?\n|['"]?[\w./-]+['"]?:(?:[ \t\r\n]|$))/

function explainSyntax(text: string): string {
  if (YAML.test(text))
    return /^[ \t]*kind:[ \t]*ConfigMap\b/m.test(text)
      ? CONFIG_MAP
      : 'looks like YAML, and a document is JSON: convert it, for example with: yq -o=json FILE'
  const { line, column, expected } = findSyntaxError(text)
  return `is not JSON: line ${line}, column ${column}: expected ${expected}`
}

function isConfigMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ConfigMap'
}

/** The parser of a document in JSON, from one of what the JSON says. */
export function ofJson<T>(
  parse: (document: unknown, digest: string) => Result<T, readonly Fault[]>,
): DocumentParser<T> {
  return (text, digest) => {
    const document = parseDocumentText(text)
    return document.ok ? parse(document.value, digest) : document
  }
}

interface Level {
  /** The keys so far, of an object; how many elements so far, of a list. */
  readonly keys: Set<string> | undefined
  /** Where in the level the scan is. */
  at: string | number
}

/** What JSON.parse does not tell: keys that are there twice, `__proto__`, nesting without end. The text is valid JSON. */
function findHiddenKeys(text: string): Fault[] {
  const faults: Fault[] = []
  const levels: Level[] = []
  const path = (): string => toPath(levels.map(({ at }) => at))
  // Strings (with what tells keys from values behind them) and the characters that give JSON its structure.
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\],]/g)) {
    const level = levels.at(-1)
    if (string !== undefined) {
      if (colon === undefined || level?.keys === undefined) continue
      const key = String(JSON.parse(string))
      level.at = key
      if (key === '__proto__') faults.push({ path: path(), message: 'is not a key here' })
      else if (level.keys.has(key)) faults.push({ path: path(), message: 'is there twice' })
      level.keys.add(key)
    } else if (token === '{' || token === '[') {
      if (levels.length === MAX_DEPTH) return [{ path: '', message: `is nested deeper than ${MAX_DEPTH} levels` }]
      levels.push(token === '{' ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 })
    } else if (token === ',') {
      if (level !== undefined && typeof level.at === 'number') level.at += 1
    } else levels.pop()
  }
  return faults
}
