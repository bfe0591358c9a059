import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import type { Decision, Policy } from './decide.ts'
import { toPrincipal } from './principal.ts'

/** A decision with every rule: which applied, and for the others the first condition that failed. */
interface PolicyExplanation {
  readonly decision: Decision
  readonly rules: readonly { readonly path: string; readonly applied: boolean; readonly failed?: string }[]
}

/** Explains a policy for one request. Reviews never do this work. */
export function explainPolicy(policy: Policy, attributes: AccessAttributes, homeDomain: string): PolicyExplanation {
  const principal = toPrincipal(attributes, homeDomain)
  const { request } = attributes
  const rules = policy.rules.map((rule) => {
    const failed =
      principal === undefined
        ? 'extra'
        : (rule.who.find(({ holds }) => !holds(principal))?.name ??
          (rule.kind === 'resource'
            ? request.kind === 'resource'
              ? rule.what.find(({ holds }) => !holds(request))?.name
              : 'kind'
            : request.kind === 'nonresource'
              ? rule.what.find(({ holds }) => !holds(request))?.name
              : 'kind'))
    return failed === undefined ? { path: rule.path, applied: true } : { path: rule.path, applied: false, failed }
  })
  return { decision: policy.decide(attributes), rules }
}
