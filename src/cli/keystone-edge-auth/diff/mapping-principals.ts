import * as v from 'valibot'
import type { Identity } from '../../../keystone/identity.ts'
import { toList } from '../../../mapping/conditions.ts'
import {
  type MappingDocument,
  type MappingExample,
  MappingExampleSchema,
  type MappingRule,
} from '../../../mapping/mapping-document.ts'

/** A user of Keystone for whom two mappings are compared. */
export interface MappingPrincipal {
  readonly label: string
  /** What is known of the user, or all that a token says. */
  readonly facts: MappingExample | Identity
}

/** The users of a document's examples, and one who meets each of its rules. The document has no faults. */
export function principalsOfMapping(accepted: unknown): MappingPrincipal[] {
  const { examples = [], rules = [], ...rest } = accepted as MappingDocument
  const ofRoles = (rest['role-mappings'] ?? []).map(({ 'keystone-role': role }) => ({ roles: [role] }))
  return [...examples, ...rules.flatMap(toFacts), ...ofRoles].map(toMappingPrincipal)
}

/** Somebody who meets the conditions of a rule, by the first value of each. */
function toFacts(rule: MappingRule): MappingExample[] {
  const name = (selector: ReturnType<typeof firstOf>): string | undefined =>
    typeof selector === 'string' ? selector : selector?.name
  const domain = (selector: ReturnType<typeof firstOf>): string | undefined =>
    typeof selector === 'object' ? selector.domain : undefined
  const project = firstOf(rule.project)
  const user = firstOf(rule.user)
  const group = firstOf(rule.group)
  const role = toList(rule.role)?.[0]
  const parsed = v.safeParse(
    MappingExampleSchema,
    Object.fromEntries(
      Object.entries({
        user: name(user),
        domain: toList(rule.domain)?.[0] ?? domain(user),
        project: name(project),
        'project-domain': toList(rule['project-domain'])?.[0] ?? domain(project),
        scope: toList(rule.scope)?.[0],
        roles: role === undefined ? undefined : [role],
        'keystone-groups': group === undefined ? undefined : [group],
      }).filter(([, value]) => value !== undefined),
    ),
  )
  return parsed.success ? [parsed.output] : []
}

function firstOf(selectors: MappingRule['project']) {
  return toList(selectors)?.[0]
}

/** A principal with a name that says what is known of it; what becomes of it is no part of that. */
export function toMappingPrincipal(example: MappingExample): MappingPrincipal {
  const { username: _username, groups: _groups, 'not-groups': _not, authenticated: _authenticated, ...facts } = example
  const parts = Object.entries(facts).flatMap(([key, value]) => {
    const list = toList<unknown>(value) ?? []
    const text = list.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ')
    return list.length === 0 ? [] : [`${key.replaceAll('-', ' ')} ${text}`]
  })
  return { label: parts.length === 0 ? 'any user' : parts.join('; '), facts }
}
