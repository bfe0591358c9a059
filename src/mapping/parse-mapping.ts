import * as v from 'valibot'
import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'
import { type Fault, toFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { compileMapping } from './compile-mapping.ts'
import type { CompiledMapping } from './compiled-mapping.ts'
import { toList } from './conditions.ts'
import { type MappingDocument, MappingDocumentSchema, type MappingRule } from './mapping-document.ts'
import { checkExamples } from './mapping-examples.ts'
import { looksLikeSystemName } from './names.ts'
import type { Selector } from './selectors.ts'

/** What a document is read for. */
interface MappingContext {
  /** Names this version of the document. */
  readonly digest: string
  readonly homeDomain: string
}

/** Reads the document `mapping`. Faults are named all at once; a document with any is not used at all. */
export function parseMapping(document: unknown, context: MappingContext): Result<CompiledMapping, readonly Fault[]> {
  const parsed = v.safeParse(MappingDocumentSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const faults = [...findSystemGroups(parsed.output), ...findDeadRules(parsed.output)]
  if (faults.length > 0) return err(faults)
  const mapping = compileMapping(parsed.output, context.digest, context.homeDomain)
  const unmet = checkExamples(parsed.output.examples ?? [], mapping)
  return unmet.length > 0 ? err(unmet) : ok(mapping)
}

/** Groups that Kubernetes gives meaning to are granted only where the document says so twice. */
function findSystemGroups(document: MappingDocument): Fault[] {
  const listed = new Set(document['system-groups'])
  const explain = (group: string, isTemplate: boolean): string | undefined => {
    if (!looksLikeSystemName(group)) return undefined
    if (isTemplate) return 'starts with system:, which no group made from Keystone may: write the whole group'
    return listed.has(group) ? undefined : 'is a system: group: list it in system-groups as well if it is meant'
  }
  const find = (path: string, groups: readonly string[] = [], isTemplate: (group: string) => boolean): Fault[] =>
    groups.flatMap((group, index) => {
      const message = explain(group, isTemplate(group))
      return message === undefined ? [] : [{ path: `${path}.groups[${index}]`, message }]
    })
  return [
    ...(document.rules ?? []).flatMap(({ groups }, index) =>
      find(`rules[${index}]`, groups, (group) => /[{]/.test(group)),
    ),
    // Everything in role-mappings is literal, braces included.
    ...(document['role-mappings'] ?? []).flatMap(({ groups }, index) =>
      find(`role-mappings[${index}]`, groups, () => false),
    ),
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
