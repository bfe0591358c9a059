import type { AccessAttributes, NonResourceRequest, ResourceRequest } from '../k8s/subject-access-review.ts'

/** kubectl's discovery: all paths below `/api`, `/apis` and `/openapi`, and exactly the four others. */
const DISCOVERY = /^\/(?:(?:api|apis|openapi)(?:\/|$)|(?:version|healthz|livez|readyz)$)/
/** A path with `.` or `..` is never exempt: a server may resolve such segments after the authorization. */
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/
/** The API group of each resource, because a custom resource can have the same name. */
const SELF_REVIEWS: ReadonlyMap<string, string> = new Map([
  ['selfsubjectaccessreviews', 'authorization.k8s.io'],
  ['selfsubjectrulesreviews', 'authorization.k8s.io'],
  ['selfsubjectreviews', 'authentication.k8s.io'],
])

/**
 * Whether `on_no_match: "deny"` leaves a request to the next authorizer. Exempt are users and groups `system:`, which
 * the cluster's own components have, and the discovery and self reviews that kubectl needs. The exemptions make the explicit deny usable; they are no security
 * boundary.
 */
export function isExempt({ user, groups, request }: AccessAttributes): boolean {
  if (user.startsWith('system:')) return true
  if (groups.some((group) => group.startsWith('system:') && group !== 'system:authenticated')) return true
  return request.kind === 'nonresource' ? isDiscovery(request) : isSelfReview(request)
}

function isDiscovery({ verb, path }: NonResourceRequest): boolean {
  return verb === 'get' && DISCOVERY.test(path) && !DOT_SEGMENT.test(path)
}

// A review written by hand has an empty group. The core group has none of these resources, and takes no custom ones.
function isSelfReview({ verb, group, resource, subresource }: ResourceRequest): boolean {
  const own = SELF_REVIEWS.get(resource)
  return verb === 'create' && own !== undefined && (group === '' || group === own) && subresource === ''
}
