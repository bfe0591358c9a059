import * as v from 'valibot'
import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'

/** How a document is written: a list is judged in the list form, and inside of `policies` in the object form. */
const FormSchema = v.picklist(['list', 'object'])
const VerdictSchema = v.picklist(['allow', 'deny', 'no_opinion'])

/** With `path` a non-resource request. What is left out is empty. */
const RequestSchema = v.strictObject({
  verb: v.string(),
  path: v.optional(v.string()),
  resource: v.optional(v.string(), ''),
  subresource: v.optional(v.string(), ''),
  group: v.optional(v.string(), ''),
  namespace: v.optional(v.string(), ''),
  name: v.optional(v.string(), ''),
})

const PrincipalSchema = v.strictObject({
  about: v.string(),
  user: v.string(),
  uid: v.optional(v.string(), ''),
  groups: v.optional(v.array(v.string()), []),
  extra: v.record(v.string(), v.array(v.string())),
})

const CaseSchema = v.strictObject({
  name: v.string(),
  as: v.optional(v.string()),
  request: RequestSchema,
  /** One verdict, or one for each form. */
  decision: v.union([VerdictSchema, v.strictObject({ list: VerdictSchema, object: VerdictSchema })]),
})

const GroupsSchema = v.array(
  v.strictObject({
    row: v.string(),
    about: v.string(),
    policy: v.unknown(),
    /** The forms in which a list is judged; a document of the object form is judged as it is. */
    forms: v.optional(v.array(FormSchema), ['list']),
    /** Who asks, unless a case says otherwise: a key of `principals.json`. */
    as: v.string(),
    cases: v.array(CaseSchema),
  }),
)

/** Documents that are refused, with every fault: its message by its path. */
const RefusedSchema = v.array(
  v.strictObject({
    row: v.string(),
    about: v.string(),
    document: v.unknown(),
    faults: v.record(v.string(), v.string()),
  }),
)

type Form = v.InferOutput<typeof FormSchema>
type Group = v.InferOutput<typeof GroupsSchema>[number]
type Principal = v.InferOutput<typeof PrincipalSchema>
type Request = v.InferOutput<typeof RequestSchema>

const FILES = import.meta.glob('../../corpus/*.json', { eager: true, import: 'default' })

/** Who asks, by name. */
export const principals = v.parse(v.record(v.string(), PrincipalSchema), read('principals'))

export const refusedDocuments = v.parse(RefusedSchema, read('refused'))

/** Policies, requests and verdicts, by the name of the file. */
export const corpus: readonly (readonly [string, readonly Group[]])[] = Object.entries(FILES)
  .map(([path, content]) => [nameOf(path), content] as const)
  .filter(([name]) => name !== 'principals' && name !== 'refused')
  .map(([name, content]) => [name, v.parse(GroupsSchema, content)])

/** What kube-apiserver would ask. */
export function toAttributes({ user, uid, groups, extra }: Principal, request: Request): AccessAttributes {
  const { verb, path, resource, subresource, group, namespace, name } = request
  const asked: AccessAttributes['request'] =
    path === undefined
      ? { kind: 'resource', verb, group, resource, subresource, namespace, name }
      : { kind: 'nonresource', verb, path }
  return { user, uid, groups, extra, request: asked }
}

/** The document in each of the forms in which it is judged. */
export function documentsOf({ policy, forms }: Group): readonly { readonly form: Form; readonly document: unknown }[] {
  if (!Array.isArray(policy)) return [{ form: 'object', document: policy }]
  return forms.map((form) => ({ form, document: form === 'list' ? policy : { policies: policy } }))
}

function read(name: string): unknown {
  return FILES[`../../corpus/${name}.json`]
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1, -'.json'.length)
}
