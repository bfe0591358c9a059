import * as v from 'valibot'
import { type Fault, toFaults, type Warning } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { createPolicy, type Policy } from './decide.ts'
import { toLower } from './go-text.ts'
import { compileMatch, compileNonResource, compileResource, findMatchWarnings, rolesOfMatch } from './match-rules.ts'
import { compileNonResourcePermissions, compileResourcePermissions, type Entry } from './permission-rules.ts'
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
  const form: Form = Array.isArray(document) ? 'list' : 'object'
  const parsed = v.safeParse(form === 'list' ? PolicyListSchema : PolicyObjectSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const policies = 'policies' in parsed.output ? parsed.output.policies : parsed.output
  const { on_no_match: onNoMatch, examples } =
    'policies' in parsed.output ? parsed.output : ({ on_no_match: 'no_opinion', examples: [] } as const)
  const tooMany = findTooMany(policies)
  if (tooMany !== undefined) return err([tooMany])
  const warnings: Warning[] = []
  const rules = policies.flatMap((entry, index) => {
    const path = `${form === 'list' ? '' : 'policies'}[${index}]`
    return compileEntry(entry, { path, form, onWarning: (found) => warnings.push(found) })
  })
  const policy = createPolicy(rules, { homeDomain, onNoMatch })
  const unmet = checkPolicyExamples(examples, policy, homeDomain)
  return unmet.length > 0 ? err(unmet) : ok({ policy, warnings, size: SIZE_OF_PERMISSION * rules.length })
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

/** Version 2's permissions hide version 1's of the same kind, even when empty; `users` restricts both, `match` only version 1. */
function compileEntry(entry: PolicyEntry, read: Pick<Entry, 'path' | 'form' | 'onWarning'>): Rule[] {
  const { path, form, onWarning } = read
  const { users, match = [] } = entry
  const inert = users === undefined ? [] : findUsersWarnings(users, form, path)
  for (const one of [...inert, ...findMatchWarnings(match, form, path)]) onWarning(one)
  // Any of the roles that users needs will do to find the entry.
  const anyRole = users?.roles?.length ? users.roles.slice(0, 1) : undefined
  const version2: Entry = {
    ...read,
    normalise: form === 'object' ? toLower : (text) => text,
    who: users === undefined ? [] : compileUsers(users, form),
    anyRole,
  }
  const who = [...version2.who, ...compileMatch(match, form)]
  const version1: Entry = { ...version2, who, anyRole: anyRole ?? rolesOfMatch(match) }
  const rules: Rule[] = []
  if (entry.resource_permissions) rules.push(...compileResourcePermissions(entry.resource_permissions, version2))
  else if (entry.resource) rules.push(compileResource(entry.resource, version1))
  if (entry.nonresource_permissions)
    rules.push(...compileNonResourcePermissions(entry.nonresource_permissions, version2))
  else if (entry.nonresource) rules.push(compileNonResource(entry.nonresource, version1))
  return rules
}
