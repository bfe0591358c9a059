import type { Identity } from '../keystone/identity.ts'
import { isKeystoneId } from '../keystone/ids.ts'
import { hasHiddenCharacter } from '../lib/hidden-characters.ts'
import type { CompiledMapping, CompiledRule } from './compiled-mapping.ts'
import { fold, looksLikeSystemName, qualifyName } from './names.ts'
import { literalOf, render, type Template } from './template.ts'

/** Why a group that the mapping would give is left out: it could pass as something that it is not. */
export interface LeftOut {
  /** What would have given it: a path of the document, or `groups.keystone` or `groups.project`. */
  readonly path: string
  readonly reason: 'system' | 'id' | 'hidden_character' | 'literal_group' | 'ambiguous_name'
}

interface CollectedGroups {
  readonly groups: ReadonlySet<string>
  readonly leftOut: readonly LeftOut[]
}

/** A group on its way out, and what is known of its making. */
interface Candidate {
  readonly text: string
  readonly path: string
  readonly fromName: boolean
  /** Whether it may be an id: it was made from the project's id alone. */
  readonly isId: boolean
}

/** All groups of an identity: Keystone's, the project's id, and those of the rules that matched. */
export function collectGroups(
  mapping: CompiledMapping,
  identity: Identity,
  matched: readonly CompiledRule[],
): CollectedGroups {
  const groups = new Set<string>()
  const leftOut: LeftOut[] = []
  const add = (candidate: Candidate): void => {
    const reason = findObjection(candidate, mapping.literalGroups)
    if (reason === undefined) groups.add(candidate.text)
    else leftOut.push({ path: candidate.path, reason })
  }
  const refuse = (path: string): number => leftOut.push({ path, reason: 'ambiguous_name' })
  addDefaults(mapping, identity, add, refuse)
  for (const rule of matched) addRuleGroups(mapping, identity, rule, { add, refuse, groups })
  return { groups, leftOut }
}

function addDefaults(
  mapping: CompiledMapping,
  { scope, groups }: Identity,
  add: (candidate: Candidate) => void,
  refuse: (path: string) => void,
): void {
  const { groupPrefix, homeDomain } = mapping
  if (mapping.projectGroup && scope.kind === 'project') {
    const path = 'groups.project'
    if (isKeystoneId(scope.id)) add({ text: groupPrefix + scope.id, path, fromName: false, isId: groupPrefix === '' })
    else refuse(path)
  }
  if (!mapping.keystoneGroups || !Array.isArray(groups)) return
  for (const { name, domainId } of groups) {
    // A federated user's token lists groups by id alone, which name nothing.
    if (name === undefined) continue
    // With the prefix, for that could end where a name begins that reads as a domain: `dev@` before `default`.
    const known = name !== '' && domainId !== undefined
    const text = known ? qualifyName(groupPrefix + name, domainId, homeDomain) : undefined
    if (text === undefined) refuse('groups.keystone')
    else add({ text, path: 'groups.keystone', fromName: true, isId: false })
  }
}

function addRuleGroups(
  { homeDomain, groupPrefix, ownsGroup }: CompiledMapping,
  identity: Identity,
  rule: CompiledRule,
  out: { add: (candidate: Candidate) => void; refuse: (path: string) => void; groups: Set<string> },
): void {
  for (const [index, template] of rule.groups.entries()) {
    const literal = literalOf(template)
    if (literal !== undefined) {
      // Written by the administrators, and checked when the document was loaded.
      out.groups.add(literal)
      continue
    }
    const path = `${rule.path}.groups[${index}]`
    for (const role of rolesFor(template, rule, identity)) {
      const rendered = render(template, { identity, homeDomain, idNames: false, ...(role !== undefined && { role }) })
      if (rendered.kind === 'unfilled') continue
      // A name must not bring the prefix with it that tells Keystone's groups from all others.
      const passes = (text: string): boolean =>
        groupPrefix !== '' && template.before === '' && text.startsWith(groupPrefix)
      if (
        rendered.kind === 'text' &&
        (!rendered.fromName || (ownsGroup(template, rendered.text) && !passes(rendered.text)))
      ) {
        out.add({ text: rendered.text, path, fromName: rendered.fromName, isId: isProjectId(template) })
      } else out.refuse(path)
    }
  }
}

/** One rendering for each matching role where the template asks for the role, otherwise one. */
function rolesFor(template: Template, rule: CompiledRule, identity: Identity): (string | undefined)[] {
  if (!template.holes.some(({ placeholder }) => placeholder === 'role')) return [undefined]
  return [...new Set(identity.roles.filter(rule.isRole).map(({ name }) => name))]
}

function isProjectId({ before, holes }: Template): boolean {
  return before === '' && holes.length === 1 && holes[0]?.placeholder === 'project.id' && holes[0].following === ''
}

function findObjection(
  { text, fromName, isId }: Candidate,
  literals: ReadonlySet<string>,
): LeftOut['reason'] | undefined {
  if (looksLikeSystemName(text)) return 'system'
  if (!isId && isKeystoneId(fold(text))) return 'id'
  if (hasHiddenCharacter(text)) return 'hidden_character'
  return fromName && literals.has(text) ? 'literal_group' : undefined
}
