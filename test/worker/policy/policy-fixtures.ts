import type { AccessAttributes, NonResourceRequest, ResourceRequest } from '../../../src/k8s/subject-access-review.ts'
import type { Policy } from '../../../src/policy/decide.ts'
import { type ParsedPolicy, parsePolicy } from '../../../src/policy/parse-policy.ts'

export const IDENTITY = 'alpha.kubernetes.io/identity'
export const DEMO_ID = '423d41d3a02f4b77b4a9bbfbc3a1b3c6'

/** The document, which must hold. */
export function parsedOf(document: unknown, homeDomain = 'default'): ParsedPolicy {
  const parsed = parsePolicy(document, homeDomain)
  if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  return parsed.value
}

export function policyOf(document: unknown, homeDomain = 'default'): Policy {
  return parsedOf(document, homeDomain).policy
}

/** Alice, a member of the project demo at home, who gets pods in default, unless the facts say otherwise. */
export function attributes(facts: Partial<AccessAttributes> = {}): AccessAttributes {
  return {
    user: 'alice',
    uid: 'a'.repeat(32),
    groups: ['system:authenticated'],
    extra: {
      [`${IDENTITY}/roles`]: ['member'],
      [`${IDENTITY}/project/id`]: [DEMO_ID],
      [`${IDENTITY}/project/name`]: ['demo'],
      'keystone.openstack.org/project-domain-id': ['default'],
    },
    request: resource(),
    ...facts,
  }
}

export function resource(facts: Partial<ResourceRequest> = {}): ResourceRequest {
  return {
    kind: 'resource',
    verb: 'get',
    group: '',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: '',
    ...facts,
  }
}

export function path(path: string, verb = 'get'): NonResourceRequest {
  return { kind: 'nonresource', verb, path }
}
