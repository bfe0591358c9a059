import type { Identity } from '../keystone/identity.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { compileAdmission } from './admission.ts'
import type { CompiledMapping, CompiledRule } from './compiled-mapping.ts'
import { compileConditions } from './conditions.ts'
import { toExtra } from './extra.ts'
import { collectGroups } from './groups.ts'
import type { Mapping } from './mapping.ts'
import type { MappingDocument } from './mapping-document.ts'
import type { Naming } from './names.ts'
import { createOwnership } from './ownership.ts'
import { createRoleMatcher } from './selectors.ts'
import { literalOf, parseTemplate, type Template } from './template.ts'
import { createUsernameRenderer } from './username.ts'

/** Prepares a document that holds; see `parseMapping`, which checks it first. */
export function compileMapping(
  document: MappingDocument,
  { digest, homeDomain }: { readonly digest: string; readonly homeDomain: string },
): CompiledMapping {
  const naming = { homeDomain, federatedAsLocal: document.federated === 'as-local' }
  const rules = [...compileRoleMappings(document), ...compileRules(document, naming)]
  const literals = rules.flatMap((rule) => rule.groups.flatMap((group) => literalOf(group) ?? []))
  const mayReadGroups =
    (document.groups?.keystone ?? true) || (document.rules ?? []).some((rule) => rule.group !== undefined)
  const admit = compileAdmission(document, naming)
  const audit = document.extra?.audit ?? true
  const mapping: CompiledMapping = {
    digest,
    naming,
    size: sizeOf(document),
    admit,
    rules,
    keystoneGroups: document.groups?.keystone ?? true,
    projectGroup: document.groups?.project ?? true,
    groupPrefix: document.groups?.prefix ?? '',
    literalGroups: new Set(literals),
    ownsGroup: createOwnership(
      rules.flatMap(({ groups }) => groups),
      { exclusive: false },
    ),
    renderUsername: createUsernameRenderer(toTemplate(document.username) ?? DEFAULT_USERNAME, rules, naming),
    readsGroups: (identity) => mayReadGroups && admit(identity) === undefined,
    toUser(identity) {
      const refusal = admit(identity)
      if (refusal !== undefined) return err(refusal)
      const matched = rules.filter((rule) => rule.conditions.every((condition) => condition.holds(identity)))
      return toUser(mapping, identity, matched, audit)
    },
  }
  return mapping
}

/** How many rules, groups and names of users and projects the document has. */
export function sizeOf({
  rules = [],
  'role-mappings': roleMappings = [],
  allow = {},
  deny = {},
}: MappingDocument): number {
  const ofRules = [...rules, ...roleMappings].reduce((sum, { groups = [] }) => sum + 1 + groups.length, 0)
  const lists = [allow.projects, deny.users, deny['audit-ids'], deny['application-credentials']]
  return lists.reduce((sum, list = []) => sum + list.length, ofRules)
}

function toUser(
  mapping: CompiledMapping,
  identity: Identity,
  matched: readonly CompiledRule[],
  audit: boolean,
): ReturnType<Mapping['toUser']> {
  const username = mapping.renderUsername(identity, matched)
  if (username === undefined) return err({ reason: 'reserved_name' })
  const { groups, leftOut } = collectGroups(mapping, identity, matched)
  return ok({
    user: { username, uid: identity.user.id, groups: [...groups].sort(), extra: toExtra(identity, audit) },
    leftOut: leftOut.length,
  })
}

function compileRules({ rules = [] }: MappingDocument, naming: Naming): CompiledRule[] {
  return rules.map((rule, index) => ({
    path: `rules[${index}]`,
    conditions: compileConditions(rule, naming),
    isRole: rule.role === undefined ? () => true : createRoleMatcher([rule.role].flat()),
    groups: (rule.groups ?? []).flatMap((group) => toTemplate(group) ?? []),
    username: toTemplate(rule.username),
  }))
}

/** k8s-keystone-auth's own format: everything in it is literal, braces included. */
function compileRoleMappings(document: MappingDocument): CompiledRule[] {
  return (document['role-mappings'] ?? []).map((mapping, index) => ({
    path: `role-mappings[${index}]`,
    conditions: compileConditions({ role: mapping['keystone-role'] }, NO_NAMES),
    isRole: () => true,
    groups: (mapping.groups ?? []).map(toLiteral),
    username: mapping.username === undefined || mapping.username === '' ? undefined : toLiteral(mapping.username),
  }))
}

/** Role mappings have no condition with a name of a domain. */
const NO_NAMES: Naming = { homeDomain: '', federatedAsLocal: false }
const DEFAULT_USERNAME: Template = { before: '', holes: [{ placeholder: 'user.name', following: '' }] }

function toLiteral(text: string): Template {
  return { before: text, holes: [] }
}

function toTemplate(text: string | undefined): Template | undefined {
  const template: Result<Template, string> | undefined =
    text === undefined || text === '' ? undefined : parseTemplate(text)
  return template?.ok ? template.value : undefined
}
