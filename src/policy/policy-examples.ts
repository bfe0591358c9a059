import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import { isKeystoneId } from '../keystone/ids.ts'
import type { Fault } from '../lib/fault.ts'
import type { Policy } from './decide.ts'
import type { PolicyExample } from './policy-document.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'
const KEYSTONE = 'keystone.openstack.org'

/** The document's own tests: every one that does not hold is a fault that says what was expected and what came. */
export function checkPolicyExamples(examples: readonly PolicyExample[], policy: Policy, homeDomain: string): Fault[] {
  return examples.flatMap((example, index) => {
    const path = `examples[${index}]`
    if ((example.resource === '') === (example.path === '')) {
      return [{ path, message: 'expected exactly one of resource and path' }]
    }
    const got = policy.decide(toAttributes(example, homeDomain))
    if (got.decision === example.decision) return []
    const by = got.decision === 'allow' ? ` by ${got.path}` : ''
    return [{ path: `${path}.decision`, message: `expected ${example.decision}, got ${got.decision}${by}` }]
  })
}

/** The request that an example speaks of, as kube-apiserver would send it for a Keystone user. */
function toAttributes(example: PolicyExample, homeDomain: string): AccessAttributes {
  const { project } = example
  const projectId = example['project-id'] ?? (project !== undefined && isKeystoneId(project) ? project : undefined)
  const projectName = project !== undefined && !isKeystoneId(project) ? project : undefined
  const extra: Record<string, string[]> = {
    [`${IDENTITY}/roles`]: example.roles,
    ...(projectId !== undefined && { [`${IDENTITY}/project/id`]: [projectId] }),
    ...(projectName !== undefined && { [`${IDENTITY}/project/name`]: [projectName] }),
    [`${KEYSTONE}/project-domain-id`]: [example['project-domain'] ?? homeDomain],
  }
  const { user, uid, groups, verb } = example
  const request: AccessAttributes['request'] =
    example.path !== ''
      ? { kind: 'nonresource', verb, path: example.path }
      : {
          kind: 'resource',
          verb,
          group: example.group,
          resource: example.resource,
          subresource: example.subresource,
          namespace: example.namespace,
          name: example.name,
        }
  return { user, uid, groups, extra, request }
}
