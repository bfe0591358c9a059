import type { Fault } from '../../../lib/fault.ts'
import { looksLikeSystemName } from '../../../mapping/names.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import { CommandError, EXIT } from '../command-error.ts'
import { isObject, type RawFacts } from '../facts/read-facts.ts'
import type { Change, Imported, ImportResult } from './change.ts'

const SYNC_KEYS = ['data-types-to-sync', 'namespace-format', 'projects-blacklist', 'projects-name-blacklist']
const MAPPING_KEYS = ['keystone-role', 'username', 'groups']

/** Imports a sync configuration: `role-mappings` become the document `mapping`, the rest of it the document `sync`. */
export function importSync(config: RawFacts, homeDomain: string): ImportResult {
  const { 'role-mappings': roleMappings, ...rest } = config
  const changes = findIgnoredKeys(rest)
  const documents: Imported[] = []
  if (roleMappings !== undefined && roleMappings !== null) {
    if (!Array.isArray(roleMappings)) throw new CommandError(EXIT.fault, 'role-mappings: expected a list')
    documents.push({ name: 'mapping.json', document: toMapping(roleMappings, homeDomain, changes) })
  }
  const sync = Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => SYNC_KEYS.includes(key) && value !== null),
  )
  if (Object.keys(sync).length > 0) documents.push({ name: 'sync.json', document: sync })
  return { documents, changes }
}

function findIgnoredKeys(rest: RawFacts): Change[] {
  return Object.keys(rest).flatMap((key) => {
    if (SYNC_KEYS.includes(key)) return []
    const meant = SYNC_KEYS.find((known) => known === key.replaceAll('_', '-'))
    const hint = meant === undefined ? '' : `: it reads ${meant}`
    return [{ path: key, message: `is left out: k8s-keystone-auth ignores this key${hint}, so it never had an effect` }]
  })
}

function toMapping(roleMappings: readonly unknown[], homeDomain: string, changes: Change[]): object {
  const systemGroups = new Set<string>()
  const kept = roleMappings.flatMap((original, index) => {
    const path = `role-mappings[${index}]`
    const mapping = dropUnknown(original, path, changes)
    const system = systemGroupsOf(mapping)
    const document = { 'role-mappings': [mapping], ...(system.length > 0 && { 'system-groups': system }) }
    const parsed = parseMapping(document, { digest: '', homeDomain })
    if (!parsed.ok) {
      changes.push(...parsed.error.map((fault) => explainLeftOut(fault, path)))
      return []
    }
    changes.push(...explainKept(mapping, system, path))
    for (const group of system) systemGroups.add(group)
    return [mapping]
  })
  return {
    'role-mappings': kept,
    ...(systemGroups.size > 0 && { 'system-groups': [...systemGroups].sort() }),
  }
}

function dropUnknown(mapping: unknown, path: string, changes: Change[]): unknown {
  if (!isObject(mapping)) return mapping
  const entries = Object.entries(mapping)
  for (const [key] of entries.filter(([one]) => !MAPPING_KEYS.includes(one)))
    changes.push({ path: `${path}.${key}`, message: 'is left out: k8s-keystone-auth ignores this key' })
  return Object.fromEntries(entries.filter(([key, value]) => MAPPING_KEYS.includes(key) && value !== null))
}

function systemGroupsOf(mapping: unknown): string[] {
  const groups = isObject(mapping) && Array.isArray(mapping.groups) ? mapping.groups : []
  return groups.filter((group): group is string => typeof group === 'string' && looksLikeSystemName(group))
}

function explainKept(mapping: unknown, system: readonly string[], path: string): Change[] {
  const username = isObject(mapping) && typeof mapping.username === 'string' ? mapping.username : ''
  const message = `a user of Keystone who is called ${JSON.stringify(username)} and has not this role can no longer log in, because the name belongs to those who have it`
  return [
    ...system.map((group) => ({ path, message: `grants ${group} as before, and system-groups lists it for that` })),
    ...(username === '' ? [] : [{ path: `${path}.username`, message }]),
  ]
}

function explainLeftOut({ path, message }: Fault, at: string): Change {
  return { path: path.replace('role-mappings[0]', at), message: `${message}: the role mapping is left out` }
}
