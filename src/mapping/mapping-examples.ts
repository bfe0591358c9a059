import type { Identity, KeystoneGroup } from '../keystone/identity.ts'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import type { Fault } from '../lib/fault.ts'
import type { CompiledMapping } from './compiled-mapping.ts'
import type { MappingExample } from './mapping-document.ts'

// Where an example does not say which id or name something has, it gets one that stands for "any other".
const ANY_NAME = 'somebody else'
const ANY_USER = '00000000000000000000000000000001'
const ANY_PROJECT = '00000000000000000000000000000002'
const ANY_DOMAIN = '00000000000000000000000000000003'
const ANY_ROLE = '00000000000000000000000000000004'
const ANY_GROUP = '00000000000000000000000000000005'

/** The document's own tests: every one that does not hold is a fault that says what was expected and what came. */
export function checkExamples(examples: readonly MappingExample[], mapping: CompiledMapping): Fault[] {
  return examples.flatMap((example, index) =>
    checkExample(example, mapping).map(({ path, message }) => ({ path: `examples[${index}]${path}`, message })),
  )
}

function checkExample(example: MappingExample, mapping: CompiledMapping): Fault[] {
  const mapped = mapping.toUser(toIdentity(example, mapping.naming.homeDomain))
  const expected = example.authenticated ?? true
  if (!mapped.ok) {
    const { error } = mapped
    const why = 'by' in error ? `${error.reason} by ${error.by}` : error.reason
    return expected ? [{ path: '', message: `expected to be authenticated, got a refusal: ${why}` }] : []
  }
  const { username, groups } = mapped.value.user
  if (!expected) return [{ path: '.authenticated', message: `expected a refusal, got the user ${username}` }]
  const got = `got ${groups.length === 0 ? 'no groups' : groups.join(', ')}`
  const faults: Fault[] = []
  if (example.username !== undefined && example.username !== username) {
    faults.push({ path: '.username', message: `expected ${example.username}, got ${username}` })
  }
  for (const group of example.groups ?? []) {
    if (!groups.includes(group)) faults.push({ path: '.groups', message: `expected ${group}, ${got}` })
  }
  for (const group of example['not-groups'] ?? []) {
    if (groups.includes(group)) faults.push({ path: '.not-groups', message: `expected no ${group}, ${got}` })
  }
  return faults
}

/** The Keystone facts that an example speaks of; what it does not say stands for some other user or project. */
export function toIdentity(example: MappingExample, homeDomain: string): Identity {
  return {
    user: toUser(example, homeDomain),
    scope: toScope(example, homeDomain),
    roles: (example.roles ?? []).map((role) =>
      isKeystoneId(role) ? { id: role, name: '' } : { id: ANY_ROLE, name: role },
    ),
    methods: [],
    auditIds: [],
    groups: (example['keystone-groups'] ?? []).map((group) => toGroup(group, homeDomain)),
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  }
}

function toUser(example: MappingExample, homeDomain: string): Identity['user'] {
  const { user = ANY_NAME } = example
  const isId = isKeystoneId(user)
  const id = example['user-id'] ?? (isId ? user : ANY_USER)
  return { id, name: isId ? ANY_NAME : user, domain: toDomain(example.domain, homeDomain) }
}

function toScope(example: MappingExample, homeDomain: string): Identity['scope'] {
  const kind = example.scope ?? 'project'
  if (kind === 'domain') return { kind, ...toDomain(example.domain, homeDomain) }
  if (kind !== 'project') return { kind }
  const project = example.project ?? ''
  const id = example['project-id'] ?? (isKeystoneId(project) ? project : ANY_PROJECT)
  const name = isKeystoneId(project) && example['project-id'] === undefined ? '' : project
  return { kind, id, name, domain: toDomain(example['project-domain'], homeDomain) }
}

function toDomain(text: string | undefined, homeDomain: string): { id: string; name: string } {
  if (text === undefined) return { id: homeDomain, name: '' }
  return isKeystoneDomainId(text) ? { id: text, name: '' } : { id: ANY_DOMAIN, name: text }
}

function toGroup(group: NonNullable<MappingExample['keystone-groups']>[number], homeDomain: string): KeystoneGroup {
  if (typeof group !== 'string') return { id: ANY_GROUP, name: group.name, domainId: group.domain }
  return isKeystoneId(group) ? { id: group } : { id: ANY_GROUP, name: group, domainId: homeDomain }
}
