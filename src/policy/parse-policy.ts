import * as v from 'valibot'
import { type Fault, toFaults, type Warning } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { createPolicy, type Policy } from './decide.ts'
import { compileMatch, compileNonResource, compileResource, findMatchWarnings, rolesOfMatch } from './match-rules.ts'
import { compileNonResourcePermissions, compileResourcePermissions } from './permission-rules.ts'
import { type PolicyEntry, PolicyListSchema, PolicyObjectSchema } from './policy-document.ts'
import { checkPolicyExamples } from './policy-examples.ts'
import type { Form, Rule } from './rule.ts'
import { compileUsers, findUsersWarnings } from './users.ts'

/** A policy that holds, with what its author should know of it. */
export interface ParsedPolicy {
  readonly policy: Policy
  /** What can never grant anything, and what grants to more users than its author may think. */
  readonly warnings: readonly Warning[]
  /** Memory, in units of about half a KiB. */
  readonly size: number
}

/** An isolate has 128 MB, and a permission takes up to 1.5 KiB. */
const MAX_PERMISSIONS = 10_000
const SIZE_OF_PERMISSION = 3

/** Reads the document `policy` in either form. Faults are named all at once; a document with any is not used at all. */
export function parsePolicy(document: unknown, homeDomain: string): Result<ParsedPolicy, readonly Fault[]> {
  if (Array.isArray(document)) {
    const parsed = v.safeParse(PolicyListSchema, document)
    if (!parsed.success) return err(toFaults(parsed.issues))
    const tooMany = findTooMany(parsed.output)
    if (tooMany !== undefined) return err([tooMany])
    const { rules, warnings } = compileEntries(parsed.output, 'list', '')
    const policy = createPolicy(rules, { homeDomain, onNoMatch: 'no_opinion' })
    return ok({ policy, warnings, size: SIZE_OF_PERMISSION * rules.length })
  }
  const parsed = v.safeParse(PolicyObjectSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const { policies, on_no_match: onNoMatch, examples } = parsed.output
  const tooMany = findTooMany(policies)
  if (tooMany !== undefined) return err([tooMany])
  const { rules, warnings } = compileEntries(policies, 'object', 'policies')
  const policy = createPolicy(rules, { homeDomain, onNoMatch })
  const unmet = checkPolicyExamples(examples, policy, homeDomain)
  if (unmet.length > 0) return err(unmet)
  return ok({ policy, warnings: [...warnings, ...findBroadUsers(policies)], size: SIZE_OF_PERMISSION * rules.length })
}

function findTooMany(entries: readonly PolicyEntry[]): Fault | undefined {
  const keys = (permissions: object | undefined): number => Object.keys(permissions ?? {}).length
  const count = entries.reduce(
    (sum, entry) => sum + 1 + keys(entry.resource_permissions) + keys(entry.nonresource_permissions),
    0,
  )
  if (count <= MAX_PERMISSIONS) return undefined
  const hint = "join keys by lists such as ['pods', 'services']"
  return { path: '', message: `has ${count} entries and permissions, and ${MAX_PERMISSIONS} is the limit: ${hint}` }
}

/** Only the object form has them: in the list form `users` without `projects` matches nobody. */
function findBroadUsers(entries: readonly PolicyEntry[]): Warning[] {
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
): { rules: Rule[]; warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  const rules = entries.flatMap((entry, index) =>
    compileEntry(entry, form, `${prefix}[${index}]`, (found) => warnings.push(found)),
  )
  return { rules, warnings }
}

/** Version 2's permissions hide version 1's of the same kind, even when empty; `users` restricts both, `match` only version 1. */
function compileEntry(entry: PolicyEntry, form: Form, path: string, onWarning: (warning: Warning) => void): Rule[] {
  const users = entry.users === undefined ? [] : compileUsers(entry.users, form === 'object')
  const inert = entry.users === undefined ? [] : findUsersWarnings(entry.users, form === 'object', path)
  for (const one of [...inert, ...findMatchWarnings(entry.match ?? [], form, path)]) onWarning(one)
  const match = compileMatch(entry.match ?? [], form)
  // Any of the roles that users needs will do to find the entry.
  const roleOfUsers = entry.users?.roles?.slice(0, 1)
  const anyRole = roleOfUsers?.length ? roleOfUsers : undefined
  const version2 = { path, form, who: users, anyRole, onWarning }
  const version1 = { ...version2, who: [...users, ...match], anyRole: anyRole ?? rolesOfMatch(entry.match ?? []) }
  const rules: Rule[] = []
  if (entry.resource_permissions) rules.push(...compileResourcePermissions(entry.resource_permissions, version2))
  else if (entry.resource) rules.push(compileResource(entry.resource, version1))
  if (entry.nonresource_permissions)
    rules.push(...compileNonResourcePermissions(entry.nonresource_permissions, version2))
  else if (entry.nonresource) rules.push(compileNonResource(entry.nonresource, version1))
  return rules
}
