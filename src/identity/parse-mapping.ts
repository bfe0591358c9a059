import * as v from 'valibot'
import { type Fault, toFaults } from '../fault.ts'
import { err, ok, type Result } from '../result.ts'
import { compileMapping } from './compile-mapping.ts'
import type { CompiledMapping } from './compiled-mapping.ts'
import { toList } from './conditions.ts'
import { type MappingDocument, MappingDocumentSchema, type MappingRule } from './mapping-document.ts'
import { checkExamples } from './mapping-examples.ts'
import { readsAsDomainId, readsAsSystemName } from './names.ts'

/** What a document is read for. */
export interface MappingContext {
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
  const given = [
    ...(document.rules ?? []).map(({ groups = [] }, index) => ({ path: `rules[${index}]`, groups })),
    ...(document['role-mappings'] ?? []).map(({ groups = [] }, index) => ({ path: `role-mappings[${index}]`, groups })),
  ]
  return given.flatMap(({ path, groups }) =>
    groups.flatMap((group, index) =>
      readsAsSystemName(group) && !listed.has(group)
        ? [{ path: `${path}.groups[${index}]`, message: explainSystemGroup(group) }]
        : [],
    ),
  )
}

function explainSystemGroup(group: string): string {
  return group.includes('{')
    ? 'starts with system:, which no group made from Keystone may: write the whole group'
    : 'is a system: group: list it in system-groups as well if it is meant'
}

/** Rules that no token can meet: a mistake that would otherwise show only by its absence. */
function findDeadRules(document: MappingDocument): Fault[] {
  const allowedScopes = document.allow?.scopes ?? ['project']
  return (document.rules ?? []).flatMap((rule, index) => {
    const reason = findContradiction(rule, allowedScopes, document.allow?.domains)
    return reason === undefined ? [] : [{ path: `rules[${index}]`, message: `can never match: ${reason}` }]
  })
}

function findContradiction(
  rule: MappingRule,
  allowedScopes: readonly string[],
  allowedDomains: readonly string[] | undefined,
): string | undefined {
  const scopes = (toList(rule.scope) ?? allowedScopes).filter((scope) => allowedScopes.includes(scope))
  const domains = toList(rule.domain)
  if (scopes.length === 0) return 'allow.scopes does not let its scopes in'
  if ((rule.project ?? rule['project-domain']) !== undefined && !scopes.includes('project')) {
    return 'only project-scoped tokens have a project'
  }
  if (rule.role !== undefined && scopes.every((scope) => scope === 'unscoped')) return 'unscoped tokens have no roles'
  // Names of domains and ids may mean the same domain; two ids never do.
  const comparable = [...(allowedDomains ?? []), ...(domains ?? [])].every(readsAsDomainId)
  if (allowedDomains && domains && comparable && !domains.some((domain) => allowedDomains.includes(domain))) {
    return 'allow.domains does not let its domains in'
  }
  return undefined
}
