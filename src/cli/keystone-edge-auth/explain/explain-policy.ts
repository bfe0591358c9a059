import { EXTRA } from '../../../k8s/keystone-extra.ts'
import type { AccessAttributes } from '../../../k8s/subject-access-review.ts'
import type { Identity } from '../../../keystone/identity.ts'
import type { CompiledMapping } from '../../../mapping/compiled-mapping.ts'
import { refusalReason } from '../../../mapping/mapping.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import { reasonOf } from '../../../policy/decide.ts'
import { explainPolicy } from '../../../policy/explain-policy.ts'
import { type ParsedPolicy, parsePolicy } from '../../../policy/parse-policy.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { toExampleIdentity, toMappingExample, type UserFlags } from '../facts/mapping-facts.ts'
import { type RequestFlags, toRequest } from '../facts/policy-facts.ts'
import { type RawFacts, readOneFacts } from '../facts/read-facts.ts'
import { readIdentity, type TokenFlags } from '../facts/token-identity.ts'
import type { PlaceFlags } from '../kv/place.ts'
import { createPaint, printJson, printLines } from '../output.ts'
import { readDocument } from './read-document.ts'

export interface ExplainPolicyFlags extends UserFlags, RequestFlags, TokenFlags, PlaceFlags {
  readonly output: 'text' | 'json'
  readonly homeDomain: string
  readonly facts?: string
  readonly mapping?: string
}

/** Runs `policy explain FILE`: whether a user of Keystone may do something, and why. */
export default async function explain(this: CommandContext, flags: ExplainPolicyFlags, file: string): Promise<void> {
  const { homeDomain, output } = flags
  const identity = await readIdentity(this, flags)
  const facts = await readOneFacts(this, flags.facts)
  const asked = toRequest(facts, flags, homeDomain)
  const parse = (document: unknown) => parsePolicy(document, homeDomain)
  const read = await readDocument(this, file, { kind: 'policy', homeDomain, output, parse, place: flags })
  if (read === undefined) return
  const mapped = flags.mapping !== undefined || identity !== undefined
  const attributes = mapped ? await mapUser(this, { facts, flags, asked, identity }) : asked
  if (attributes === undefined) return
  if (output === 'json') printJson(this, toJson(read.value, attributes, homeDomain))
  else printLines(this, toTree(this, read.value, attributes, homeDomain))
}

/** The request with the user whom a mapping makes of the facts, as kube-apiserver would send it after the login. */
async function mapUser(
  context: CommandContext,
  {
    facts,
    flags,
    asked,
    identity,
  }: { facts: RawFacts; flags: ExplainPolicyFlags; asked: AccessAttributes; identity: Identity | undefined },
): Promise<AccessAttributes | undefined> {
  const mapping = await readMapping(context, flags)
  if (mapping === undefined) return undefined
  const { verb: _v, resource: _r, subresource: _s, group: _g, namespace: _n, name: _m, path: _p, ...who } = facts
  const mapped = mapping.toUser(identity ?? toExampleIdentity(toMappingExample(who, flags), flags.homeDomain))
  if (!mapped.ok)
    throw new CommandError(EXIT.fault, `the mapping does not let this user in: ${refusalReason(mapped.error)}`)
  const { username, uid, groups, extra } = mapped.value.user
  return { user: username, uid, groups: [...groups, 'system:authenticated'], extra, request: asked.request }
}

/** The mapping of `--mapping`, or the default user mapping. */
async function readMapping(context: CommandContext, flags: ExplainPolicyFlags): Promise<CompiledMapping | undefined> {
  const { homeDomain, output } = flags
  const parse = (document: unknown) => parseMapping(document, { digest: '', homeDomain })
  if (flags.mapping === undefined) {
    const empty = parse({})
    return empty.ok ? empty.value : undefined
  }
  return (await readDocument(context, flags.mapping, { kind: 'mapping', homeDomain, output, parse, place: flags }))
    ?.value
}

/** The answer in the shape of the contract; `reason` is `status.reason` of the review's answer. */
export function toJson({ policy }: ParsedPolicy, attributes: AccessAttributes, homeDomain: string) {
  const { decision, rules } = explainPolicy(policy, attributes, homeDomain)
  return {
    decision: decision.decision,
    reason: reasonOf(decision),
    entries: rules.map(({ path, applied }) => ({ path, matched: applied })),
  }
}

const MAX_ENTRIES = 200

function toTree(
  context: CommandContext,
  { policy, warnings }: ParsedPolicy,
  attributes: AccessAttributes,
  homeDomain: string,
): string[] {
  const paint = createPaint(context)
  const { decision, rules } = explainPolicy(policy, attributes, homeDomain)
  const style = decision.decision === 'allow' ? 'green' : decision.decision === 'deny' ? 'red' : 'yellow'
  const lines = joinFailed(rules).map(({ path, applied, failed, permissions }) => {
    if (applied) return `  ${paint('green', '✓')} ${path}`
    return `  ${paint('dim', '✗')} ${path}: ${describeFailure(failed)}${permissions > 1 ? ` (${permissions} permissions)` : ''}`
  })
  const shown = lines.filter((line, index) => line.includes('✓') || index < MAX_ENTRIES)
  const hidden = lines.length - shown.length
  return [
    `${paint(style, decision.decision)}: ${reasonOf(decision)}`,
    `  ${describe(attributes)}`,
    ...(rules.length > 0 ? ['entries'] : []),
    ...shown,
    ...(hidden > 0 ? [`  and ${hidden} more that do not match; -o json has all`] : []),
    ...(warnings.length > 0 ? ['entries that can never match, or match more than they seem to'] : []),
    ...warnings.map(({ path, message }) => `  ! ${path}: ${message}`),
  ]
}

interface Line {
  readonly path: string
  readonly applied: boolean
  readonly failed?: string
  readonly permissions: number
}

/** One line for all permissions of an entry that is not for this user. */
function joinFailed(rules: ReturnType<typeof explainPolicy>['rules']): Line[] {
  const lines: Line[] = []
  for (const rule of rules) {
    const isWho = rule.failed !== undefined && /^(?:users\.|match\[|extra)/.test(rule.failed)
    const path = isWho ? (/^(?:policies)?\[\d+\]/.exec(rule.path)?.[0] ?? rule.path) : rule.path
    const last = lines.at(-1)
    if (isWho && last?.path === path && last.failed === rule.failed)
      lines[lines.length - 1] = { ...last, permissions: last.permissions + 1 }
    else lines.push({ ...rule, path, permissions: 1 })
  }
  return lines
}

/** What is asked, by whom. */
function describe({ user, extra, request }: AccessAttributes): string {
  const what =
    request.kind === 'nonresource'
      ? `${request.verb} ${request.path}`
      : `${request.verb} ${request.resource}${request.group && `.${request.group}`}${request.subresource && `/${request.subresource}`}${request.namespace ? ` in ${request.namespace}` : ' without a namespace'}`
  const roles = extra[EXTRA.roles] ?? []
  const project = [...(extra[EXTRA.projectName] ?? []), ...(extra[EXTRA.projectId] ?? [])][0]
  const who = `${user === '' ? 'somebody' : user}, roles ${roles.join(', ') || 'none'}, project ${project ?? 'none'}`
  return `${what}, asked by ${who}`
}

function describeFailure(failed: string | undefined): string {
  if (failed === 'kind') return 'is for the other kind of request'
  if (failed === 'extra') return "the user carries none of Keystone's extra keys"
  return `${failed} does not match`
}
