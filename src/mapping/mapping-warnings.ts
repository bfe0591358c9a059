import type { Warning } from '../lib/fault.ts'
import { toList } from './conditions.ts'
import type { MappingDocument, MappingRule } from './mapping-document.ts'

const MASTERS = 'system:masters'

/** What is valid in a document that `parseMapping` accepted, and dangerous or without effect. */
export function findMappingWarnings(accepted: unknown): Warning[] {
  // No second validation: it costs as much as the first, half a second for 10,000 rules.
  const document = accepted as MappingDocument
  const rules = [...toRoleMappings(document), ...toRules(document)]
  return [
    ...findEmptyLists(document),
    ...rules.flatMap(findBroadRule),
    ...findDeniedRules(document),
    ...findRepeatedRules(rules),
    ...findHiddenUsernames(rules),
    ...findUnusedSystemGroups(document, rules),
  ]
}

/** A rule or a role mapping, with its conditions as one text, empty for none. */
interface PlainRule {
  readonly path: string
  readonly conditions: string
  readonly groups: readonly string[]
  readonly username: string
}

function toRules({ rules = [] }: MappingDocument): PlainRule[] {
  return rules.map(({ groups = [], username = '', ...conditions }, index) => ({
    path: `rules[${index}]`,
    conditions: canonical(conditions),
    groups,
    username,
  }))
}

function toRoleMappings(document: MappingDocument): PlainRule[] {
  return (document['role-mappings'] ?? []).map(({ 'keystone-role': role, groups = [], username = '' }, index) => ({
    path: `role-mappings[${index}]`,
    conditions: canonical({ role }),
    groups,
    username,
  }))
}

/** Equal for conditions that mean the same whatever the order of keys and values. */
function canonical(conditions: Omit<MappingRule, 'groups' | 'username'>): string {
  const parts = Object.entries(conditions).map(([name, values]) => {
    const list = (toList<unknown>(values) ?? []).map((value) => JSON.stringify(value))
    return `${name}=${[...new Set(list)].sort().join('|')}`
  })
  return parts.sort().join('&')
}

function findEmptyLists({ allow = {} }: MappingDocument): Warning[] {
  return Object.entries(allow).flatMap(([key, list]) =>
    list?.length === 0 ? [{ path: `allow.${key}`, message: 'is empty: nobody can log in' }] : [],
  )
}

function findBroadRule({ path, conditions, groups, username }: PlainRule): Warning[] {
  if (groups.length === 0 && username === '')
    return [{ path, message: 'does nothing: it has no groups and no username' }]
  const masters = groups.indexOf(MASTERS)
  const found: Warning[] = []
  if (conditions === '' && groups.length > 0) {
    found.push({ path, message: 'gives its groups to every user who may log in: it has no conditions' })
  }
  if (masters >= 0) {
    const message = `grants ${MASTERS}, which passes every authorizer of Kubernetes`
    found.push({ path: `${path}.groups[${masters}]`, message })
  }
  return found
}

/** Rules for users whom `deny` refuses before any rule is read. */
function findDeniedRules({ rules = [], deny = {} }: MappingDocument): Warning[] {
  const denied = new Set((deny.users ?? []).map((user) => JSON.stringify(user)))
  return rules.flatMap(({ user }, index) => {
    const users = toList(user)
    return users?.every((one) => denied.has(JSON.stringify(one)))
      ? [{ path: `rules[${index}].user`, message: 'is never reached: deny.users refuses these users' }]
      : []
  })
}

/** Rules whose groups earlier rules give to the same users already. */
function findRepeatedRules(rules: readonly PlainRule[]): Warning[] {
  const given = new Map<string, Map<string, string>>()
  const groupsOf = (conditions: string): Map<string, string> => {
    const known = given.get(conditions) ?? new Map<string, string>()
    given.set(conditions, known)
    return known
  }
  return rules.flatMap(({ path, conditions, groups, username }) => {
    const known = groupsOf(conditions)
    // `{role}` stands for the roles of the condition, so only with the same conditions does the same text give the same.
    const earlier = groups.map(
      (group) => known.get(group) ?? (group.includes('{role}') ? undefined : groupsOf('').get(group)),
    )
    for (const group of groups) if (!known.has(group)) known.set(group, path)
    const isRepeated = username === '' && groups.length > 0 && earlier.every((rule) => rule !== undefined)
    return isRepeated
      ? [{ path, message: `adds nothing: ${earlier[0]} gives these groups to these users already` }]
      : []
  })
}

/** User names that a later rule for at least the same users always replaces. */
function findHiddenUsernames(rules: readonly PlainRule[]): Warning[] {
  const later = new Map<string, string>()
  const warnings: Warning[] = []
  for (const { path, conditions, username } of [...rules].reverse()) {
    if (username === '') continue
    const hidden = later.get(conditions) ?? later.get('')
    if (hidden !== undefined)
      warnings.unshift({ path: `${path}.username`, message: `is never used: ${hidden} gives these users another name` })
    if (!later.has(conditions)) later.set(conditions, path)
  }
  return warnings
}

function findUnusedSystemGroups(document: MappingDocument, rules: readonly PlainRule[]): Warning[] {
  const given = new Set(rules.flatMap(({ groups }) => groups))
  return (document['system-groups'] ?? []).flatMap((group, index) =>
    given.has(group) ? [] : [{ path: `system-groups[${index}]`, message: 'is listed, and no rule grants this group' }],
  )
}
