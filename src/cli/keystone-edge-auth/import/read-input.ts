import { type Document, parseAllDocuments, visit } from 'yaml'
import { parseDocumentText } from '../../../documents/document-text.ts'
import { CommandError, EXIT } from '../command-error.ts'
import { isObject, type RawFacts } from '../facts/read-facts.ts'
import { isNestedTooDeep } from '../source/yaml-depth.ts'
import type { Change } from './change.ts'

/** What a file holds that k8s-keystone-auth or kube-apiserver reads. */
export type Part =
  | { readonly kind: 'policy'; readonly origin: string; readonly value: unknown; readonly changes: readonly Change[] }
  | { readonly kind: 'sync'; readonly origin: string; readonly value: RawFacts; readonly changes: readonly Change[] }
  | { readonly kind: 'tokens'; readonly origin: string; readonly text: string }

/**
 * Finds the policies, sync configurations and static tokens of a file: ConfigMaps (also in a List, and several in one
 * file), a bare policy, a bare sync configuration, or kube-apiserver's token file.
 */
export function readInput(file: string, text: string): readonly Part[] {
  if (isTokenFile(file, text)) return [{ kind: 'tokens', origin: file, text }]
  const parts = parseDocuments(file, text).flatMap(({ value, isJson }) => toParts(file, value, isJson))
  if (parts.length > 0) return parts
  throw new CommandError(
    EXIT.fault,
    `${file} holds nothing that can be imported`,
    'expected a ConfigMap with policies or syncConfig, a policy, a sync configuration, or a static token file (CSV)',
  )
}

/** `token,user,uid,"group1,group2"`: the first line that says something has two commas and is neither JSON nor YAML. */
function isTokenFile(file: string, text: string): boolean {
  if (/\.csv$/i.test(file)) return true
  const line = text.split('\n').find((one) => one.trim() !== '' && !one.trim().startsWith('#')) ?? ''
  return !/^\s*[[{\-%]|^\s*["']?[\w./-]+["']?:(?:\s|$)/.test(line) && (line.match(/,/g) ?? []).length >= 2
}

interface Parsed {
  readonly value: unknown
  readonly isJson: boolean
}

function parseDocuments(file: string, text: string): readonly Parsed[] {
  const json = parseDocumentText(text)
  if (json.ok) return [{ value: json.value, isJson: true }]
  // A ConfigMap is what is wanted here, and YAML may be.
  const [fault] = json.error
  if (fault !== undefined && /there twice|deeper|4 MiB/.test(fault.message))
    throw new CommandError(EXIT.fault, `${file}: ${fault.path === '' ? '' : `${fault.path} `}${fault.message}`)
  try {
    const value: unknown = JSON.parse(text)
    return [{ value, isJson: true }]
  } catch {
    return parseYaml(file, text).map((value) => ({ value, isJson: false }))
  }
}

function parseYaml(file: string, text: string): readonly unknown[] {
  return parseAll(file, text).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      const place = error.linePos?.[0]
      const what = (error.message.split('\n')[0] ?? '').replace(/(?: at line |: ).*$/, '')
      throw new CommandError(EXIT.fault, `${file}:${place?.line ?? 1}:${place?.col ?? 1}: ${what}`)
    }
    keepTexts(document)
    const value = toValue(file, document)
    return value === null || value === undefined ? [] : [value]
  })
}

function parseAll(file: string, text: string): readonly Document.Parsed[] {
  try {
    const documents = isNestedTooDeep(text)
      ? undefined
      : parseAllDocuments(text, { logLevel: 'silent', uniqueKeys: true })
    if (documents !== undefined) return Array.isArray(documents) ? documents : []
  } catch {
    // The library's own recursion ends.
  }
  throw new CommandError(EXIT.fault, `${file} is nested too deep`)
}

/**
 * Every number and truth value as it is written: the Go programs take these scalars for texts, and an id of digits only
 * would lose digits as a number.
 */
function keepTexts(document: Document.Parsed): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'number' || typeof node.value === 'boolean') node.value = node.source ?? node.value
    },
  })
}

/** Aliases are resolved, as far as they do not make a small file large, or a value a part of itself. */
function toValue(file: string, document: Document.Parsed): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    JSON.stringify(value)
    return value
  } catch {
    throw new CommandError(EXIT.fault, `${file}: its aliases cannot be resolved`, 'write the values themselves')
  }
}

function toParts(origin: string, value: unknown, isJson: boolean): Part[] {
  if (Array.isArray(value)) return [{ kind: 'policy', origin, value, changes: isJson ? [] : [NOT_JSON] }]
  if (!isObject(value)) return []
  if (Array.isArray(value.items)) return value.items.flatMap((item: unknown) => toParts(origin, item, true))
  if (value.kind === 'ConfigMap') return ofConfigMap(origin, value)
  if (value.kind !== undefined) return []
  if (POLICY_KEYS.some((key) => key in value)) return [{ kind: 'policy', origin, value, changes: [] }]
  return isSync(value) ? [{ kind: 'sync', origin, value, changes: [] }] : []
}

/** Of the object form. */
const POLICY_KEYS = ['policies', 'on_no_match']
const SYNC_KEYS =
  /^(?:role|data|namespace|projects)[-_](?:mappings|types[-_]to[-_]sync|format|blacklist|name[-_]blacklist)$/

function isSync(value: RawFacts): boolean {
  return Object.keys(value).some((key) => SYNC_KEYS.test(key))
}

const NOT_JSON: Change = {
  path: '',
  message:
    'is YAML, or JSON with an error such as a trailing comma, which k8s-keystone-auth does not read; read here as YAML',
}

/** k8s-keystone-auth reads the keys `policies` (JSON) and `syncConfig` (YAML). Other keys are taken for what they hold. */
function ofConfigMap(file: string, { metadata, data }: RawFacts): Part[] {
  if (!isObject(data)) return []
  const name = isObject(metadata) && typeof metadata.name === 'string' ? metadata.name : 'a ConfigMap'
  return Object.entries(data).flatMap(([key, text]) => {
    if (typeof text !== 'string' || text.trim() === '') return []
    const origin = `${file}, ${name}, ${key}`
    return parseDocuments(origin, text).flatMap(({ value, isJson }) =>
      toParts(origin, value, isJson).map((part) => (part.kind === 'tokens' ? part : nameKey(part, key))),
    )
  })
}

function nameKey<T extends { readonly kind: string; readonly changes: readonly Change[] }>(part: T, key: string): T {
  const expected = part.kind === 'policy' ? 'policies' : 'syncConfig'
  if (key === expected) return part
  const message = `stands under the key ${key}; k8s-keystone-auth reads ${expected} only`
  return { ...part, changes: [...part.changes, { path: '', message }] }
}
