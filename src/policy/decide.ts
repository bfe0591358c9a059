import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import { isExempt } from './exemptions.ts'
import { toLower } from './go-text.ts'
import { type Principal, toPrincipal } from './principal.ts'
import type { ResourceRule, Rule } from './rule.ts'

/** A verdict with its reason. */
export type Decision =
  /** `path` is the entry that allows. */
  | { readonly decision: 'allow'; readonly path: string }
  | { readonly decision: 'deny' }
  | { readonly decision: 'no_opinion'; readonly because: 'no_match' | 'not_keystone' }

const NO_OPINION = {
  no_match: 'no policy entry allows it',
  not_keystone: "no opinion: the user carries none of Keystone's extra keys",
} as const

/** The reason of a decision, as `status.reason` of a SubjectAccessReview says it. */
export function reasonOf(decision: Decision): string {
  switch (decision.decision) {
    case 'allow':
      return `policy entry ${decision.path} allows it`
    case 'deny':
      return 'no policy entry allows it, and on_no_match is deny'
    case 'no_opinion':
      return NO_OPINION[decision.because]
  }
}

/** A compiled policy. A decision evaluates only the rules that its index finds for the request. */
export interface Policy {
  readonly rules: readonly Rule[]
  decide(attributes: AccessAttributes): Decision
}

interface PolicyOptions {
  readonly homeDomain: string
  readonly onNoMatch: 'no_opinion' | 'deny'
}

/** Compiles rules to a policy. Any matching rule allows; the decision names the first in the document. */
export function createPolicy(rules: readonly Rule[], { homeDomain, onNoMatch }: PolicyOptions): Policy {
  const resources = createResourceIndex(rules.filter((rule) => rule.kind === 'resource'))
  const others = createRoleIndex(rules.filter((rule) => rule.kind === 'nonresource'))
  const order = new Map(rules.map((rule, index) => [rule, index]))

  return {
    rules,
    decide(attributes) {
      const principal = toPrincipal(attributes, homeDomain)
      if (principal === undefined) return { decision: 'no_opinion', because: 'not_keystone' }
      const { request } = attributes
      const matched =
        request.kind === 'resource'
          ? resources(principal, request.namespace).filter((rule) => matches(rule, principal, request))
          : others(principal).filter((rule) => matches(rule, principal, request))
      const first = matched.reduce<Rule | undefined>(
        (best, rule) => (best === undefined || (order.get(rule) ?? 0) < (order.get(best) ?? 0) ? rule : best),
        undefined,
      )
      if (first !== undefined) return { decision: 'allow', path: first.path }
      if (onNoMatch === 'deny' && !isExempt(attributes)) return { decision: 'deny' }
      return { decision: 'no_opinion', because: 'no_match' }
    },
  }
}

function matches<R extends AccessAttributes['request']>(
  rule: { readonly who: Rule['who']; readonly what: readonly { readonly holds: (request: R) => boolean }[] },
  principal: Principal,
  request: R,
): boolean {
  return rule.what.every(({ holds }) => holds(request)) && rule.who.every(({ holds }) => holds(principal))
}

/** Finds rules by the principal's roles. Rules that need no role are always candidates. */
function createRoleIndex<R extends Rule>(rules: readonly R[]): (principal: Principal) => R[] {
  const byRole = new Map<string, R[]>()
  const always: R[] = []
  for (const rule of rules) {
    if (rule.anyRole === undefined) always.push(rule)
    else for (const role of new Set(rule.anyRole)) append(byRole, role, rule)
  }
  return ({ roles }) => {
    const found = [...roles].flatMap((role) => byRole.get(role) ?? [])
    return [...always, ...found]
  }
}

/** Finds rules by namespace, then by role. The look-up ignores case, because the object form does. */
function createResourceIndex(
  rules: readonly ResourceRule[],
): (principal: Principal, namespace: string) => ResourceRule[] {
  const byNamespace = new Map<string, ResourceRule[]>()
  const everywhere: ResourceRule[] = []
  for (const rule of rules) {
    if (rule.namespaces === undefined) everywhere.push(rule)
    else for (const namespace of new Set(rule.namespaces.map(toLower))) append(byNamespace, namespace, rule)
  }
  const anywhere = createRoleIndex(everywhere)
  const inNamespace = new Map([...byNamespace].map(([namespace, found]) => [namespace, createRoleIndex(found)]))
  return (principal, namespace) => [...(inNamespace.get(toLower(namespace))?.(principal) ?? []), ...anywhere(principal)]
}

function append<K, R>(map: Map<K, R[]>, key: K, value: R): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
