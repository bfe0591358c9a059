import * as v from 'valibot'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import { strictObject } from '../lib/strict-object.ts'

// Both formats of k8s-keystone-auth, as a list or inside the object form. Unknown keys, wrong types and null are faults:
// there a mistyped key is ignored, and what it should have restricted is not.

const Text = v.pipe(
  v.string('expected a string'),
  v.check((text) => !/^\$|\$[\w{(]/.test(text), 'still has a variable ($…) in it, which would never match: fill it in'),
)
const Texts = v.array(Text, 'expected a list of strings')
const QualifiedName = strictObject(
  {
    name: v.pipe(
      Text,
      v.check((name) => !isKeystoneId(name), 'reads as an id, which matches no name: give the id by itself'),
    ),
    domain: v.pipe(Text, v.check(isKeystoneDomainId, 'expected the id of a domain: `default`, or 32 hex digits')),
  },
  'expected a string, or an object with name and domain',
)
const Projects = v.array(
  v.union([Text, QualifiedName], 'expected an id, a name, or an object with name and domain'),
  'expected a list of projects',
)
const PermissionsRecord = v.record(
  v.pipe(
    v.string(),
    v.check((key) => !key.includes('$'), 'still has a variable ($…) in it, which would never match: fill it in'),
  ),
  Texts,
  'expected an object of lists of verbs',
)
/** valibot takes a list for a record; here an empty one would quietly hide version 1. */
const Permissions: typeof PermissionsRecord = {
  ...PermissionsRecord,
  '~run': (dataset, config) =>
    PermissionsRecord['~run'](Array.isArray(dataset.value) ? { value: null } : dataset, config),
}

const CONDITION_EXPECTED = 'expected an object with type and values'
const ListCondition = strictObject({ type: Text, values: v.optional(Texts) }, CONDITION_EXPECTED)
const ObjectCondition = v.pipe(
  strictObject(
    {
      type: v.picklist(['user', 'group', 'project', 'role'], 'expected user, group, project or role'),
      values: v.optional(Projects),
    },
    CONDITION_EXPECTED,
  ),
  v.check(
    ({ type, values = [] }) => type === 'project' || values.every((value) => typeof value === 'string'),
    'has a name with a domain, which only the type project takes',
  ),
)

/** An entry of both versions. What the two forms differ in: projects, what may be left out, and conditions. */
function entrySchema<P extends v.GenericSchema, O extends v.GenericSchema, C extends v.GenericSchema>(
  projects: P,
  text: O,
  condition: C,
) {
  return strictObject(
    {
      users: v.optional(
        strictObject(
          { roles: v.optional(Texts), projects: v.optional(projects) },
          'expected an object with roles and projects',
        ),
      ),
      resource_permissions: v.optional(Permissions),
      nonresource_permissions: v.optional(Permissions),
      resource: v.optional(
        strictObject(
          { verbs: v.optional(Texts), resources: v.optional(Texts), version: text, namespace: text },
          'expected an object with verbs, resources, version and namespace',
        ),
      ),
      nonresource: v.optional(
        strictObject({ verbs: v.optional(Texts), path: v.optional(Text) }, 'expected an object with verbs and path'),
      ),
      match: v.optional(v.array(condition, 'expected a list of conditions')),
    },
    'expected an object',
  )
}

const ListEntry = entrySchema(Texts, Text, ListCondition)
const ObjectEntry = entrySchema(Projects, v.optional(Text), ObjectCondition)

/** An example of the document: a request, and its decision. */
export const PolicyExampleSchema = strictObject(
  {
    user: v.optional(Text, ''),
    uid: v.optional(Text, ''),
    groups: v.optional(Texts, []),
    roles: v.optional(Texts, []),
    project: v.optional(Text),
    'project-id': v.optional(Text),
    'project-domain': v.optional(Text),
    verb: Text,
    resource: v.optional(Text, ''),
    subresource: v.optional(Text, ''),
    group: v.optional(Text, ''),
    namespace: v.optional(Text, ''),
    name: v.optional(Text, ''),
    path: v.optional(Text, ''),
    decision: v.picklist(['allow', 'deny', 'no_opinion'], 'expected allow, deny or no_opinion'),
  },
  'expected an object with a request and its decision',
)

/** The list form, as k8s-keystone-auth reads it. */
export const PolicyListSchema = v.array(ListEntry, 'expected a list of policies')

/** The object form, in which the language is wider. */
export const PolicyObjectSchema = strictObject(
  {
    $schema: v.optional(v.string('expected a string')),
    policies: v.optional(v.array(ObjectEntry, 'expected a list of policies'), []),
    on_no_match: v.optional(v.picklist(['no_opinion', 'deny'], 'expected no_opinion or deny'), 'no_opinion'),
    examples: v.optional(v.array(PolicyExampleSchema, 'expected a list of examples'), []),
  },
  'expected a list of policies, or an object with policies, on_no_match and examples',
)

export type PolicyEntry = v.InferOutput<typeof ObjectEntry> | v.InferOutput<typeof ListEntry>
export type PolicyExample = v.InferOutput<typeof PolicyExampleSchema>
