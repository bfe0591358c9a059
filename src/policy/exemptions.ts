import type { AccessAttributes, NonResourceRequest, ResourceRequest } from '../k8s/subject-access-review.ts'

/** kubectl's discovery below the first three, exact paths for the rest. */
const DISCOVERY = /^\/(?:(?:api|apis|openapi)(?:\/|$)|(?:version|healthz|livez|readyz)$)/
/** Not everybody who resolves `.` and `..` does so before this is asked. */
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/
/** With their API groups: a resource that somebody else defines can have the same name. */
const SELF_REVIEWS: ReadonlyMap<string, string> = new Map([
  ['selfsubjectaccessreviews', 'authorization.k8s.io'],
  ['selfsubjectrulesreviews', 'authorization.k8s.io'],
  ['selfsubjectreviews', 'authentication.k8s.io'],
])

/**
 * What `on_no_match: "deny"` leaves to the next authorizer: without these kubectl cannot even find out what there is,
 * and the cluster's own components stop. It makes the explicit deny usable, and no boundary.
 */
export function isExempt({ user, groups, request }: AccessAttributes): boolean {
  if (user.startsWith('system:')) return true
  if (groups.some((group) => group.startsWith('system:') && group !== 'system:authenticated')) return true
  return request.kind === 'nonresource' ? isDiscovery(request) : isSelfReview(request)
}

function isDiscovery({ verb, path }: NonResourceRequest): boolean {
  return verb === 'get' && DISCOVERY.test(path) && !DOT_SEGMENT.test(path)
}

// No group at all is how a review is written by hand; the core group has none of these, and nobody can add to it.
function isSelfReview({ verb, group, resource, subresource }: ResourceRequest): boolean {
  const own = SELF_REVIEWS.get(resource)
  return verb === 'create' && own !== undefined && (group === '' || group === own) && subresource === ''
}
