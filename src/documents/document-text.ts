import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { scanJson } from './json-syntax.ts'

/** Reads the value of a document from its text (`ofJson` for JSON); `digest` is the SHA-256 of the text, as hex. */
export type DocumentParser<T> = (
  text: string,
  digest: string,
) => Result<T, readonly Fault[]> | Promise<Result<T, readonly Fault[]>>

/** 10,000 rules, or 500 clusters with their credentials, are about 1 MB. */
const MAX_CHARACTERS = 4 * 1024 * 1024

/**
 * Reads a document's text. Stricter than JSON.parse where that would hide a mistake: of two keys of one name it keeps
 * the last, so that a second `deny` would undo the first.
 */
export function parseDocumentText(text: string): Result<unknown, readonly Fault[]> {
  if (text.length > MAX_CHARACTERS) return err([{ path: '', message: 'is larger than 4 MiB' }])
  // Editors on Windows put a byte order mark there.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  const { syntaxError, faults } = scanJson(json)
  if (syntaxError !== undefined) {
    const { line, column, expected } = syntaxError
    const notJson = `is not JSON: line ${line}, column ${column}: expected ${expected}`
    return err([{ path: '', message: findYaml(json) ?? notJson }])
  }
  if (faults.length > 0) return err(faults)
  const value: unknown = JSON.parse(json)
  return isConfigMap(value) ? err([{ path: '', message: CONFIG_MAP }]) : ok(value)
}

const CONFIG_MAP =
  "is a ConfigMap: put what it holds, for a policy: kubectl get configmap NAME -n NAMESPACE -o jsonpath='{.data.policies}'"
/** The first line that says something is a key without quotes, a list item, or the start of a YAML document. */
const YAML = /^(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:---|%YAML|- |-\r?\n|['"]?[\w./-]+['"]?:(?:[ \t\r\n]|$))/

/** What YAML that stands in a document's place should be turned into; `undefined` for what does not look like YAML. */
function findYaml(text: string): string | undefined {
  if (!YAML.test(text)) return undefined
  if (/^[ \t]*kind:[ \t]*ConfigMap\b/m.test(text)) return CONFIG_MAP
  return 'looks like YAML, and a document is JSON: convert it, for example with: yq -o=json FILE'
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
