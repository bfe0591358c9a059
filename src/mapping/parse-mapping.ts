import * as v from 'valibot'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import { type Fault, toFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { compileMapping, sizeOf } from './compile-mapping.ts'
import type { CompiledMapping } from './compiled-mapping.ts'
import { toList } from './conditions.ts'
import { type MappingDocument, MappingDocumentSchema, type MappingRule } from './mapping-document.ts'
import { checkExamples } from './mapping-examples.ts'
import { findUnlisted } from './names.ts'
import type { Selector } from './selectors.ts'

/** What a document is read for. */
interface MappingContext {
  /** Names this version of the document. */
  readonly digest: string
  readonly homeDomain: string
}

/** An isolate has 128 MB for the documents of all its clusters, and for identities. */
const MAX_SIZE = 30_000

/** Reads the document `mapping`. Faults are named all at once; a document with any is not used at all. */
export function parseMapping(document: unknown, context: MappingContext): Result<CompiledMapping, readonly Fault[]> {
  const parsed = v.safeParse(MappingDocumentSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const size = sizeOf(parsed.output)
  if (size > MAX_SIZE)
    return err([{ path: '', message: `has ${size} rules, groups and names, and ${MAX_SIZE} is the limit` }])
  const faults = [...findSystemGroups(parsed.output), ...findDeadRules(parsed.output)]
  if (faults.length > 0) return err(faults)
  const mapping = compileMapping(parsed.output, context)
  const unmet = checkExamples(parsed.output.examples ?? [], mapping)
  return unmet.length > 0 ? err(unmet) : ok(mapping)
}

function findSystemGroups({ rules = [], 'role-mappings': roleMappings = [], ...document }: MappingDocument): Fault[] {
  const listed = new Set(document['system-groups'])
  return [
    ...rules.flatMap(({ groups = [] }, index) =>
      findUnlisted(`rules[${index}].groups`, groups, listed, (group) => group.includes('{')),
    ),
    // Everything in role-mappings is literal, braces included.
    ...roleMappings.flatMap(({ groups = [] }, index) => findUnlisted(`role-mappings[${index}].groups`, groups, listed)),
  ]
}

/** Rules that no token can meet: a mistake that would otherwise show only by its absence. */
function findDeadRules(document: MappingDocument): Fault[] {
  const allowedScopes = document.allow?.scopes ?? ['project']
  return (document.rules ?? []).flatMap((rule, index) => {
    const reason = findContradiction(rule, allowedScopes, document.allow ?? {})
    return reason === undefined ? [] : [{ path: `rules[${index}]`, message: `can never match: ${reason}` }]
  })
}

function findContradiction(
  rule: MappingRule,
  allowedScopes: readonly string[],
  { domains: allowedDomains, projects: allowedProjects }: NonNullable<MappingDocument['allow']>,
): string | undefined {
  const scopes = (toList(rule.scope) ?? allowedScopes).filter((scope) => allowedScopes.includes(scope))
  if (scopes.length === 0) return 'allow.scopes does not let its scopes in'
  const asksForProject = (rule.project ?? rule['project-domain']) !== undefined
  if (asksForProject && !scopes.includes('project')) return 'only project-scoped tokens have a project'
  if (rule.role !== undefined && scopes.every((scope) => scope === 'unscoped')) return 'unscoped tokens have no roles'
  if (neverMeet(allowedDomains, toList(rule.domain), isKeystoneDomainId))
    return 'allow.domains does not let its domains in'
  if (neverMeet(allowedProjects, toList(rule.project), isKeystoneId))
    return 'allow.projects does not let its projects in'
  return undefined
}

/** Whether nothing is in both lists. A name and an id may mean the same; two ids, or two names of one domain, never do. */
function neverMeet(
  allowed: readonly Selector[] | undefined,
  wanted: readonly Selector[] | undefined,
  isId: (text: string) => boolean,
): boolean {
  if (allowed === undefined || wanted === undefined) return false
  const kinds = new Set([...allowed, ...wanted].map((one) => (typeof one === 'string' ? isId(one) : undefined)))
  return kinds.size === 1 && !kinds.has(undefined) && !wanted.some((one) => allowed.includes(one))
}
