import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import type { Decision, Policy } from './decide.ts'
import { type Principal, toPrincipal } from './principal.ts'
import type { Condition, Rule } from './rule.ts'

/** A decision with every rule: which applied, and for the others the first condition that failed. */
interface PolicyExplanation {
  readonly decision: Decision
  readonly rules: readonly { readonly path: string; readonly applied: boolean; readonly failed?: string }[]
}

/** Explains a policy for one request. Reviews never do this work. */
export function explainPolicy(policy: Policy, attributes: AccessAttributes, homeDomain: string): PolicyExplanation {
  const principal = toPrincipal(attributes, homeDomain)
  const rules = policy.rules.map((rule) => {
    const failed = principal === undefined ? 'extra' : findFailed(rule, principal, attributes.request)
    return failed === undefined ? { path: rule.path, applied: true } : { path: rule.path, applied: false, failed }
  })
  return { decision: policy.decide(attributes), rules }
}

/** The name of the first condition that does not hold: those on the principal first, then those on the request. */
function findFailed(rule: Rule, principal: Principal, request: AccessAttributes['request']): string | undefined {
  const failed = firstFailed(rule.who, principal)
  if (failed !== undefined) return failed
  if (rule.kind === 'resource' && request.kind === 'resource') return firstFailed(rule.what, request)
  if (rule.kind === 'nonresource' && request.kind === 'nonresource') return firstFailed(rule.what, request)
  return 'kind'
}

function firstFailed<T>(conditions: readonly Condition<T>[], subject: T): string | undefined {
  return conditions.find(({ holds }) => !holds(subject))?.name
}
