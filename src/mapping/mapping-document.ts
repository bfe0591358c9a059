import * as v from 'valibot'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import { hasHiddenCharacter } from '../lib/hidden-characters.ts'
import { strictObject } from '../lib/strict-object.ts'
import { fold, looksLikeSystemName } from './names.ts'
import { parseTemplate } from './template.ts'

// The language of the document `mapping`, as a schema: the JSON Schema file in schemas/ is generated from it. Unknown
// keys are faults, as a mistyped `deny` must not be one that denies nobody.

const AnyText = v.string('expected a string')
const Text = v.pipe(AnyText, v.nonEmpty('expected text'))
const notHidden = v.check(
  (text: string) => !hasHiddenCharacter(text),
  'holds a control, format or zero-width character',
)
const DomainId = v.pipe(Text, v.check(isKeystoneDomainId, 'expected the id of a domain: `default`, or 32 hex digits'))

const QualifiedName = strictObject(
  {
    name: v.pipe(
      Text,
      v.check((name) => !isKeystoneId(name), 'reads as an id, which matches no name: give the id by itself'),
    ),
    domain: DomainId,
  },
  'expected a string, or an object with name and domain',
)
/** An id, or a name in the home domain; forms that are neither would never match, and a `deny` would deny nobody. */
const IdOrName = v.pipe(
  Text,
  v.check(
    (text) => isKeystoneId(text) || !isKeystoneId(fold(text)),
    'is no id and would match no name: ids are lower-case, without spaces',
  ),
  v.check((text) => {
    const at = text.lastIndexOf('@')
    return at <= 0 || !isKeystoneDomainId(text.slice(at + 1))
  }, 'is how Kubernetes sees a name of another domain: write {"name": …, "domain": …}'),
)
const SELECTOR_EXPECTED = 'expected an id, a name, or an object with name and domain'
const Selector = v.union([IdOrName, QualifiedName], SELECTOR_EXPECTED)
const SCOPE_EXPECTED = 'expected project, domain, system or unscoped'
const Scope = v.picklist(['project', 'domain', 'system', 'unscoped'], SCOPE_EXPECTED)

/** One value, or a list of which any will do. An empty list would never match. */
function anyOf<S extends v.GenericSchema>(schema: S, expected: string) {
  const list = v.pipe(v.array(schema, expected), v.nonEmpty('is empty, so it never matches'))
  return v.optional(v.union([schema, list], `${expected}, or a list of them`))
}

const TemplateText = v.pipe(
  AnyText,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const template = parseTemplate(dataset.value)
    if (!template.ok) addIssue({ message: template.error })
  }),
)

/** A user name: empty for none of its own. */
const UsernameTemplate = v.pipe(
  AnyText,
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed && dataset.value !== '' ? findUsernameFault(dataset.value) : undefined
    if (fault !== undefined) addIssue({ message: fault })
  }),
)

function findUsernameFault(text: string): string | undefined {
  const template = parseTemplate(text)
  if (!template.ok) return template.error
  const placeholders = template.value.holes.map(({ placeholder }) => placeholder)
  if (looksLikeSystemName(text)) return 'starts with system:, which no user of Keystone may'
  if (placeholders.includes('role')) return '{role} can be several: a user name cannot hold it'
  const namesOneUser =
    placeholders.length === 0 || placeholders.some((name) => name === 'user.name' || name === 'user.id')
  return namesOneUser ? undefined : 'needs {user.name} or {user.id}: otherwise several users get one name'
}

/** A name that is written in the document as it is. */
export const Literal = v.pipe(Text, notHidden)
/** Part of a name, which `whose` says. */
export function partOfName(whose: string) {
  const notSystem = v.check((text: string) => !looksLikeSystemName(text), `starts with system:, which ${whose} may`)
  return v.pipe(AnyText, notHidden, notSystem)
}

const Rule = strictObject(
  {
    role: anyOf(Text, 'expected a string'),
    project: anyOf(Selector, SELECTOR_EXPECTED),
    'project-domain': anyOf(Text, 'expected a string'),
    domain: anyOf(Text, 'expected a string'),
    user: anyOf(Selector, SELECTOR_EXPECTED),
    group: anyOf(Selector, SELECTOR_EXPECTED),
    scope: anyOf(Scope, SCOPE_EXPECTED),
    groups: v.optional(v.array(TemplateText, 'expected a list of groups')),
    username: v.optional(UsernameTemplate),
  },
  'expected an object with conditions, groups and username',
)

/** k8s-keystone-auth's own format, as it is: literal groups and a literal user name for a role. */
const RoleMapping = strictObject(
  {
    'keystone-role': Text,
    groups: v.optional(v.array(Literal, 'expected a list of groups')),
    username: v.optional(partOfName('no user of Keystone')),
  },
  'expected an object with keystone-role, groups and username',
)

/** An example of the document: facts of Keystone, and what becomes of them. */
export const MappingExampleSchema = strictObject(
  {
    user: v.optional(Text),
    'user-id': v.optional(Text),
    domain: v.optional(Text),
    project: v.optional(Text),
    'project-id': v.optional(Text),
    'project-domain': v.optional(Text),
    scope: v.optional(Scope),
    roles: v.optional(v.array(Text, 'expected a list of roles')),
    'keystone-groups': v.optional(v.array(Selector, 'expected a list of Keystone groups')),
    authenticated: v.optional(v.boolean('expected true or false')),
    username: v.optional(Text),
    groups: v.optional(v.array(Text, 'expected a list of groups')),
    'not-groups': v.optional(v.array(Text, 'expected a list of groups')),
  },
  'expected an object with a Keystone user and what becomes of it',
)

const Flag = v.optional(v.boolean('expected true or false'), true)
const Id = v.pipe(Text, v.check(isKeystoneId, 'expected an id of 32 hex digits'))

/** The key `system-groups`: the groups of Kubernetes' own that the document means to grant. */
export const SystemGroups = v.array(
  v.pipe(
    Literal,
    v.check((group) => fold(group).startsWith('system:'), 'is no system: group; list only those here'),
  ),
  'expected a list of groups',
)

/** The document `mapping`. */
export const MappingDocumentSchema = strictObject(
  {
    $schema: v.optional(v.string('expected a string')),
    allow: v.optional(
      strictObject(
        {
          domains: v.optional(v.array(Text, 'expected a list of domains')),
          projects: v.optional(v.array(Selector, 'expected a list of projects')),
          scopes: v.optional(v.array(Scope, 'expected a list of scopes')),
        },
        'expected an object with domains, projects and scopes',
      ),
    ),
    deny: v.optional(
      strictObject(
        {
          users: v.optional(v.array(Selector, 'expected a list of users')),
          'audit-ids': v.optional(v.array(Text, 'expected a list of audit ids')),
          'application-credentials': v.optional(v.array(Id, 'expected a list of ids')),
        },
        'expected an object with users, audit-ids and application-credentials',
      ),
    ),
    username: v.optional(UsernameTemplate),
    federated: v.optional(v.literal('as-local', 'expected as-local, or nothing')),
    groups: v.optional(
      strictObject(
        { keystone: Flag, project: Flag, prefix: v.optional(partOfName('nothing from Keystone'), '') },
        'expected an object with keystone, project and prefix',
      ),
    ),
    extra: v.optional(strictObject({ audit: Flag }, 'expected an object with audit')),
    rules: v.optional(v.array(Rule, 'expected a list of rules')),
    'role-mappings': v.optional(v.array(RoleMapping, 'expected a list of role mappings')),
    'system-groups': v.optional(SystemGroups),
    examples: v.optional(v.array(MappingExampleSchema, 'expected a list of examples')),
  },
  'expected an object; {} means the defaults',
)

export type MappingDocument = v.InferOutput<typeof MappingDocumentSchema>
export type MappingRule = v.InferOutput<typeof Rule>
export type MappingExample = v.InferOutput<typeof MappingExampleSchema>
