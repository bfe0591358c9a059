import { EXTRA } from '../k8s/keystone-extra.ts'
import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import { isKeystoneId } from '../keystone/ids.ts'
import type { Fault } from '../lib/fault.ts'
import type { Policy } from './decide.ts'
import type { PolicyExample } from './policy-document.ts'

/** The faults of the document's examples: one for each example whose decision is not the expected one. */
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

/** The request of an example, as kube-apiserver sends it for a Keystone user. */
export function toAttributes(example: PolicyExample, homeDomain: string): AccessAttributes {
  const { project } = example
  const projectId = example['project-id'] ?? (project !== undefined && isKeystoneId(project) ? project : undefined)
  const projectName = project !== undefined && !isKeystoneId(project) ? project : undefined
  const extra: Record<string, string[]> = {
    [EXTRA.roles]: example.roles,
    ...(projectId !== undefined && { [EXTRA.projectId]: [projectId] }),
    ...(projectName !== undefined && { [EXTRA.projectName]: [projectName] }),
    [EXTRA.projectDomainId]: [example['project-domain'] ?? homeDomain],
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
