import * as v from 'valibot'
import { type Fault, toFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { createPolicy, type Policy } from './decide.ts'
import { compileMatch, compileNonResource, compileResource, findInertMatch, rolesOfMatch } from './match-rules.ts'
import { compileNonResourcePermissions, compileResourcePermissions } from './permission-rules.ts'
import { type PolicyEntry, PolicyListSchema, PolicyObjectSchema } from './policy-document.ts'
import { checkPolicyExamples } from './policy-examples.ts'
import type { Form, Inert, Rule } from './rule.ts'
import { compileUsers, findInertUsers } from './users.ts'

/** A policy that holds, with what its author should know of it. */
export interface ParsedPolicy {
  readonly policy: Policy
  /** What can never grant anything. */
  readonly inert: readonly Inert[]
  /** What grants to more than its author may think. */
  readonly broad: readonly Inert[]
}

/** Reads the document `policy` in either form. Faults are named all at once; a document with any is not used at all. */
export function parsePolicy(document: unknown, homeDomain: string): Result<ParsedPolicy, readonly Fault[]> {
  if (Array.isArray(document)) {
    const parsed = v.safeParse(PolicyListSchema, document)
    if (!parsed.success) return err(toFaults(parsed.issues))
    const { rules, inert } = compileEntries(parsed.output, 'list', '')
    return ok({ policy: createPolicy(rules, { homeDomain, onNoMatch: 'no_opinion' }), inert, broad: [] })
  }
  const parsed = v.safeParse(PolicyObjectSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const { policies, on_no_match: onNoMatch, examples } = parsed.output
  const { rules, inert } = compileEntries(policies, 'object', 'policies')
  const policy = createPolicy(rules, { homeDomain, onNoMatch })
  const unmet = checkPolicyExamples(examples, policy, homeDomain)
  return unmet.length > 0 ? err(unmet) : ok({ policy, inert, broad: findBroadUsers(policies) })
}

/** Only the object form has them: in the list form `users` without `projects` matches nobody. */
function findBroadUsers(entries: readonly PolicyEntry[]): Inert[] {
  return entries.flatMap(({ users }, index) =>
    users?.roles?.length && users.projects === undefined
      ? [{ path: `policies[${index}].users`, message: 'matches these roles in every project: there are no projects' }]
      : [],
  )
}

function compileEntries(
  entries: readonly PolicyEntry[],
  form: Form,
  prefix: string,
): { rules: Rule[]; inert: readonly Inert[] } {
  const inert: Inert[] = []
  const rules = entries.flatMap((entry, index) =>
    compileEntry(entry, form, `${prefix}[${index}]`, (found) => inert.push(found)),
  )
  return { rules, inert }
}

/** Version 2's permissions hide version 1's of the same kind, even when empty; `users` restricts both, `match` only version 1. */
function compileEntry(entry: PolicyEntry, form: Form, path: string, onInert: (inert: Inert) => void): Rule[] {
  const users = entry.users === undefined ? [] : compileUsers(entry.users, form === 'object')
  const inert = entry.users === undefined ? [] : findInertUsers(entry.users, form === 'object', path)
  for (const one of [...inert, ...findInertMatch(entry.match ?? [], form, path)]) onInert(one)
  const match = compileMatch(entry.match ?? [], form)
  // Any of the roles that users needs will do to find the entry.
  const roleOfUsers = entry.users?.roles?.slice(0, 1)
  const anyRole = roleOfUsers?.length ? roleOfUsers : undefined
  const version2 = { path, form, who: users, anyRole, onInert }
  const version1 = { ...version2, who: [...users, ...match], anyRole: anyRole ?? rolesOfMatch(entry.match ?? []) }
  const rules: Rule[] = []
  if (entry.resource_permissions) rules.push(...compileResourcePermissions(entry.resource_permissions, version2))
  else if (entry.resource) rules.push(compileResource(entry.resource, version1))
  if (entry.nonresource_permissions)
    rules.push(...compileNonResourcePermissions(entry.nonresource_permissions, version2))
  else if (entry.nonresource) rules.push(compileNonResource(entry.nonresource, version1))
  return rules
}
