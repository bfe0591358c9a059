import * as v from 'valibot'
import { type Fault, toFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** Both versions that kube-apiserver sends; v1beta1 is still its default. The answer must use the request's. */
type SubjectAccessReviewVersion = 'authorization.k8s.io/v1' | 'authorization.k8s.io/v1beta1'

/** What is asked: who wants to do what. Everything that Kubernetes leaves out is empty. */
export interface AccessAttributes {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
  readonly request: ResourceRequest | NonResourceRequest
}

export interface ResourceRequest {
  readonly kind: 'resource'
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

export interface NonResourceRequest {
  readonly kind: 'nonresource'
  readonly verb: string
  readonly path: string
}

/** `status` of a SubjectAccessReview. Neither allowed nor denied is "no opinion": the next authorizer decides. */
export interface SubjectAccessReviewStatus {
  readonly allowed: boolean
  readonly denied?: true
  readonly reason?: string
}

const VERSIONS = ['authorization.k8s.io/v1', 'authorization.k8s.io/v1beta1'] as const

const Text = v.nullish(v.string('expected a string'), '')
const Texts = v.nullish(v.array(v.string('expected a string'), 'expected a list of strings'), [])
/** valibot takes a list for an object; one without required keys would then be an empty request. */
const NoList = v.custom<object>((value) => !Array.isArray(value), 'expected an object')
const Attributes = v.pipe(
  NoList,
  v.object(
    {
      verb: Text,
      group: Text,
      resource: Text,
      subresource: Text,
      namespace: Text,
      name: Text,
      path: Text,
    },
    'expected an object',
  ),
)
const Body = v.object(
  {
    apiVersion: v.picklist(VERSIONS, `expected ${VERSIONS.join(' or ')}`),
    kind: v.literal('SubjectAccessReview', 'expected SubjectAccessReview'),
    spec: v.object(
      {
        user: Text,
        uid: Text,
        groups: Texts,
        // The name of the same list in v1beta1.
        group: Texts,
        extra: v.nullish(
          v.pipe(
            NoList,
            v.record(
              v.string(),
              v.nullable(v.array(v.string('expected a string'), 'expected a list of strings'), []),
              'expected an object of lists',
            ),
          ),
          {},
        ),
        resourceAttributes: v.nullish(Attributes),
        nonResourceAttributes: v.nullish(Attributes),
      },
      'expected an object',
    ),
  },
  'expected an object',
)

export interface SubjectAccessReview {
  readonly apiVersion: SubjectAccessReviewVersion
  readonly attributes: AccessAttributes
}

/** Reads a SubjectAccessReview. Unknown fields are ignored; what is missing or mistyped is named by its path. */
export function decodeSubjectAccessReview(body: unknown): Result<SubjectAccessReview, Fault> {
  const parsed = v.safeParse(Body, body, { abortEarly: true })
  if (!parsed.success) return err(toFaults(parsed.issues)[0] ?? { path: '(body)', message: 'expected an object' })
  const { apiVersion, spec } = parsed.output
  const request = toRequest(spec)
  if (request === undefined) {
    return err({ path: 'spec', message: 'expected exactly one of resourceAttributes and nonResourceAttributes' })
  }
  const groups = apiVersion === 'authorization.k8s.io/v1' ? spec.groups : spec.group
  return ok({ apiVersion, attributes: { user: spec.user, uid: spec.uid, groups, extra: spec.extra, request } })
}

function toRequest(spec: v.InferOutput<typeof Body>['spec']): AccessAttributes['request'] | undefined {
  const { resourceAttributes, nonResourceAttributes } = spec
  if (resourceAttributes && nonResourceAttributes) return undefined
  if (nonResourceAttributes) {
    return { kind: 'nonresource', verb: nonResourceAttributes.verb, path: nonResourceAttributes.path }
  }
  if (!resourceAttributes) return undefined
  const { verb, group, resource, subresource, namespace, name } = resourceAttributes
  return { kind: 'resource', verb, group, resource, subresource, namespace, name }
}

/** The answer on the wire: without `spec`, which kube-apiserver does not read. */
export function encodeSubjectAccessReview(
  apiVersion: SubjectAccessReviewVersion,
  status: SubjectAccessReviewStatus,
): string {
  return JSON.stringify({ apiVersion, kind: 'SubjectAccessReview', status })
}
