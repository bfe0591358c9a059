import type { Identity } from '../../../src/keystone/identity.ts'
import type { Fault } from '../../../src/lib/fault.ts'
import type { CompiledMapping } from '../../../src/mapping/compiled-mapping.ts'
import { parseMapping } from '../../../src/mapping/parse-mapping.ts'

export const HOME = { id: 'default', name: 'Default' }
export const OTHER = { id: 'd'.repeat(32), name: 'other' }
export const ALICE = { id: 'a'.repeat(32), name: 'alice', domain: HOME }
export const DEMO = { kind: 'project' as const, id: 'e'.repeat(32), name: 'demo', domain: HOME }

/** Alice, a member of the project demo, both at home, unless the facts say otherwise. */
export function identity(facts: Partial<Identity> = {}): Identity {
  return {
    user: ALICE,
    scope: DEMO,
    roles: [role('member')],
    methods: ['password'],
    auditIds: ['audit-1'],
    groups: [],
    expiresAtMs: 1,
    ...facts,
  }
}

export function role(name: string, id = `id of ${name}`): Identity['roles'][number] {
  return { id, name }
}

/** The document, which must hold. */
export function mappingOf(document: unknown, homeDomain = HOME.id): CompiledMapping {
  const parsed = parseMapping(document, { digest: 'test', homeDomain })
  if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  return parsed.value
}

/** What is wrong with the document, by path. */
export function faultsOf(document: unknown): Record<string, string> {
  const parsed = parseMapping(document, { digest: 'test', homeDomain: HOME.id })
  return parsed.ok ? {} : toRecord(parsed.error)
}

export function toRecord(faults: readonly Fault[]): Record<string, string> {
  return Object.fromEntries(faults.map(({ path, message }) => [path, message]))
}

/** The user that a document makes of the facts. */
export function userOf(document: unknown, facts: Partial<Identity> = {}, homeDomain = HOME.id) {
  const mapped = mappingOf(document, homeDomain).toUser(identity(facts))
  if (!mapped.ok) throw new Error(JSON.stringify(mapped.error))
  return { ...mapped.value.user, leftOut: mapped.value.leftOut }
}

/** What the document's rules alone make of the facts: Keystone's groups and the project's id are off. */
export function ruleGroups(rules: readonly unknown[], facts: Partial<Identity> = {}, rest: object = {}) {
  return userOf({ groups: { keystone: false, project: false }, rules, ...rest }, facts).groups
}

/** Why the facts are refused by the document. */
export function refusalOf(document: unknown, facts: Partial<Identity> = {}) {
  const mapped = mappingOf(document).toUser(identity(facts))
  return mapped.ok ? undefined : mapped.error
}
