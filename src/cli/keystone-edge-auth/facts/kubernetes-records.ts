import { EXTRA } from '../../../k8s/keystone-extra.ts'
import { type AccessAttributes, decodeSubjectAccessReview } from '../../../k8s/subject-access-review.ts'
import { CommandError, EXIT } from '../command-error.ts'
import { isObject, type RawFacts } from './read-facts.ts'

/**
 * The request of a record that Kubernetes writes: a line of kube-apiserver's audit log (audit.k8s.io, kind Event), or a
 * SubjectAccessReview. `undefined` for anything else. A record whose fields cannot be read ends the command.
 */
export function toAccessAttributes(record: RawFacts): AccessAttributes | undefined {
  const review = record.kind === 'SubjectAccessReview' ? record : record.kind === 'Event' ? toReview(record) : undefined
  if (review === undefined) return undefined
  const decoded = decodeSubjectAccessReview(review)
  if (decoded.ok) return decoded.value.attributes
  throw new CommandError(EXIT.fault, `the record cannot be read: ${decoded.error.path} ${decoded.error.message}`)
}

/** An Event as the review that kube-apiserver sent for it. */
function toReview({ user, impersonatedUser, verb, objectRef, requestURI }: RawFacts): RawFacts {
  const asked = isObject(impersonatedUser) ? impersonatedUser : user
  const principal = isObject(asked) ? asked : {}
  const path = typeof requestURI === 'string' ? requestURI.split('?')[0] : undefined
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: principal.username,
      uid: principal.uid,
      groups: principal.groups,
      extra: principal.extra,
      ...(isObject(objectRef)
        ? { resourceAttributes: { ...objectRef, group: objectRef.apiGroup, verb } }
        : { nonResourceAttributes: { path, verb } }),
    },
  }
}

/** The facts of Keystone that `extra` of such a record holds, under the keys of a mapping's examples. */
export function toMappingFacts({ user, uid, extra }: AccessAttributes): RawFacts {
  const first = (key: string): string | undefined => extra[key]?.[0]
  const domain = first(EXTRA.userDomainId)
  const suffix = `@${domain}`
  return {
    user: domain !== undefined && user.endsWith(suffix) ? user.slice(0, -suffix.length) : user,
    'user-id': uid === '' ? undefined : uid,
    domain,
    project: first(EXTRA.projectName),
    'project-id': first(EXTRA.projectId),
    'project-domain': first(EXTRA.projectDomainId),
    scope: first(EXTRA.scope),
    roles: extra[EXTRA.roles],
  }
}
