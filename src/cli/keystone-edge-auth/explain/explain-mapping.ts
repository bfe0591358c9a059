import type { Identity } from '../../../keystone/identity.ts'
import { hasHiddenCharacter } from '../../../lib/hidden-characters.ts'
import type { CompiledMapping, CompiledRule } from '../../../mapping/compiled-mapping.ts'
import { explainMapping } from '../../../mapping/explain-mapping.ts'
import { collectGroups } from '../../../mapping/groups.ts'
import { refusalReason } from '../../../mapping/mapping.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import type { CommandContext } from '../context.ts'
import { toExampleIdentity, toMappingExample, type UserFlags } from '../facts/mapping-facts.ts'
import { readOneFacts } from '../facts/read-facts.ts'
import { readIdentity, type TokenFlags } from '../facts/token-identity.ts'
import type { PlaceFlags } from '../kv/place.ts'
import { createPaint, printJson, printLines } from '../output.ts'
import { readDocument } from './read-document.ts'

export interface ExplainMappingFlags extends UserFlags, TokenFlags, PlaceFlags {
  readonly output: 'text' | 'json'
  readonly homeDomain: string
  readonly facts?: string
}

/** Runs `mapping explain FILE`: who a user of Keystone would be in Kubernetes, and why. */
export default async function explain(this: CommandContext, flags: ExplainMappingFlags, file: string): Promise<void> {
  const { homeDomain, output } = flags
  const identity =
    (await readIdentity(this, flags)) ??
    toExampleIdentity(toMappingExample(await readOneFacts(this, flags.facts), flags), homeDomain)
  const parse = (document: unknown) => parseMapping(document, { digest: '', homeDomain })
  const read = await readDocument(this, file, { kind: 'mapping', homeDomain, output, parse, place: flags })
  if (read === undefined) return
  if (output === 'json') printJson(this, toJson(read.value, identity))
  else printLines(this, toTree(this, read.value, identity))
}

/** The answer in the shape of the contract; `reason` is that of the audit line. */
export function toJson(mapping: CompiledMapping, identity: Identity) {
  const { result, rules, leftOut } = explainMapping(mapping, identity)
  return {
    authenticated: result.ok,
    reason: result.ok ? 'authenticated' : refusalReason(result.error),
    user: result.ok ? result.value.user : null,
    leftOut,
    rules: rules.map(({ path, applied }) => ({ path, matched: applied })),
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  denied: 'deny refuses this user, token or application credential',
  reserved_name: 'the user name is empty, cannot be filled in, or could pass as another one',
  scope_not_allowed: 'allow.scopes does not list the scope of the token',
  domain_not_allowed: 'allow.domains does not list the domain of the user',
  project_not_allowed: 'allow.projects does not list the project of the token',
}
const MAX_RULES = 200

function toTree(context: CommandContext, mapping: CompiledMapping, identity: Identity): string[] {
  const paint = createPaint(context)
  const { result, rules, leftOut } = explainMapping(mapping, identity)
  const reason = result.ok ? 'authenticated' : refusalReason(result.error)
  const head = result.ok
    ? [`${paint('green', 'authenticated')} as ${show(result.value.user.username)}, uid ${show(result.value.user.uid)}`]
    : [`${paint('red', 'not authenticated')}: ${reason}: ${REFUSALS[reason] ?? ''}`]
  const groups = result.ok ? ['groups', ...indent(result.value.user.groups.map(show))] : []
  const extra = result.ok
    ? [
        'extra',
        ...indent(Object.entries(result.value.user.extra).map(([key, all]) => `${key}: ${all.map(show).join(', ')}`)),
      ]
    : []
  // Every rule that applies is shown, and of the others as many as a person reads.
  const shown = rules.filter(({ applied }, index) => applied || index < MAX_RULES)
  const tree = shown.flatMap(({ path, applied }) => {
    const rule = mapping.rules.find((one) => one.path === path)
    return rule === undefined
      ? []
      : showRule(mapping, identity, rule, paint(applied ? 'green' : 'dim', applied ? '✓' : '✗'))
  })
  const hidden = rules.length - shown.length
  return [
    ...head,
    ...groups,
    ...extra,
    ...(rules.length > 0 ? ['rules', ...indent(tree)] : []),
    ...(hidden > 0 ? [`  and ${hidden} more that do not match; -o json has all`] : []),
    ...(leftOut.length > 0 ? ['left out', ...indent(leftOut.map(({ path, reason: why }) => `${path}: ${why}`))] : []),
  ]
}

/** A rule with each of its conditions, and the groups that it gives where all conditions hold. */
function showRule(mapping: CompiledMapping, identity: Identity, rule: CompiledRule, mark: string): string[] {
  const conditions = rule.conditions.map(
    ({ name, holds }) => `${name} ${holds(identity) ? 'matches' : 'does not match'}`,
  )
  const applies = rule.conditions.every(({ holds }) => holds(identity))
  const bare = { ...mapping, keystoneGroups: false, projectGroup: false }
  const groups = applies ? [...collectGroups(bare, identity, [rule]).groups] : []
  return [
    `${mark} ${rule.path}: ${conditions.length === 0 ? 'has no conditions' : conditions.join(', ')}`,
    ...(groups.length > 0 ? [`    gives ${groups.map(show).join(', ')}`] : []),
    ...(applies && rule.username !== undefined ? ['    gives a user name'] : []),
  ]
}

/** As it is, or quoted where a reader could not see all of it. */
function show(text: string): string {
  return text === '' || hasHiddenCharacter(text) ? JSON.stringify(text) : text
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
