import { escapeHiddenCharacters } from '../../../lib/hidden-characters.ts'
import type { CompiledMapping } from '../../../mapping/compiled-mapping.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import { parsePolicy } from '../../../policy/parse-policy.ts'
import { EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { readDocument } from '../explain/read-document.ts'
import { toMappingExample } from '../facts/mapping-facts.ts'
import { toRequest } from '../facts/policy-facts.ts'
import { type RawFacts, readFacts } from '../facts/read-facts.ts'
import type { PlaceFlags } from '../kv/place.ts'
import { createPaint, note, printJson, printLines } from '../output.ts'
import { readAuditedUsers as readAudited, toFactsOfName } from '../principals/audit-log.ts'
import type { KeystoneUser, readKeystoneUsers } from '../principals/keystone-users.ts'
import { diffMappings } from './diff-mappings.ts'
import { diffPolicies } from './diff-policies.ts'
import type { Difference, Differences } from './difference.ts'
import { type MappingPrincipal, principalsOfMapping, toMappingPrincipal } from './mapping-principals.ts'
import {
  asksForNames,
  type PolicyPrincipal,
  principalOfEntry,
  principalsOfPolicy,
  toPolicyPrincipal,
} from './policy-principals.ts'

export interface DiffFlags extends PlaceFlags {
  readonly output: 'text' | 'json'
  readonly homeDomain: string
  readonly facts?: string
  readonly principals: 'examples' | 'keystone'
  readonly cloud?: string
  readonly audit?: string
}

export interface DiffPolicyFlags extends DiffFlags {
  readonly mapping?: string
}

/** Runs `mapping diff OLD NEW`. */
export async function diffMappingFiles(
  this: CommandContext,
  flags: DiffFlags,
  old: string,
  now: string,
): Promise<void> {
  const { homeDomain, output } = flags
  const parse = (document: unknown) => parseMapping(document, { digest: '', homeDomain })
  const options = { kind: 'mapping', homeDomain, output, parse, place: flags } as const
  const before = await readDocument(this, old, options)
  const after = before && (await readDocument(this, now, options))
  if (before === undefined || after === undefined) return
  const principals = await mappingPrincipals(this, flags, [before.document, after.document])
  finish(this, output, diffMappings(before.value, after.value, principals), principals.length)
}

/** Runs `policy diff OLD NEW`. */
export async function diffPolicyFiles(
  this: CommandContext,
  flags: DiffPolicyFlags,
  old: string,
  now: string,
): Promise<void> {
  const { homeDomain, output } = flags
  const parse = (document: unknown) => parsePolicy(document, homeDomain)
  const options = { kind: 'policy', homeDomain, output, parse, place: flags } as const
  const before = await readDocument(this, old, options)
  const after = before && (await readDocument(this, now, options))
  if (before === undefined || after === undefined) return
  const documents = { old: before.document, all: [before.document, after.document] }
  const principals = await policyPrincipals(this, flags, documents)
  if (principals === undefined) return
  // What can be asked comes from the documents, whoever asks.
  const requests = documents.all.flatMap((one) => principalsOfPolicy(one, homeDomain)).flatMap((one) => one.requests)
  const areNamesEqual = !documents.all.some(asksForNames)
  finish(
    this,
    output,
    diffPolicies(before.value.policy, after.value.policy, principals, { areNamesEqual, requests }),
    principals.length,
  )
}

/** Users of the documents or of Keystone, and those of `--facts` and `--audit`. */
async function mappingPrincipals(
  context: CommandContext,
  flags: DiffFlags,
  documents: readonly unknown[],
): Promise<readonly MappingPrincipal[]> {
  const { homeDomain } = flags
  const facts = flags.facts === undefined ? [] : await readFacts(context, flags.facts)
  const audited = flags.audit === undefined ? [] : await readAudited(context, flags.audit)
  const known =
    flags.principals === 'examples'
      ? documents.flatMap(principalsOfMapping)
      : (await readUsers(context, { cloud: flags.cloud, homeDomain })).map(({ label, identity }) => ({
          label,
          facts: identity,
        }))
  return [
    ...known,
    ...facts.map((raw) => toMappingPrincipal(toMappingExample(raw, {}))),
    ...audited.map(({ user }) => ({ label: `user ${user}`, facts: toFactsOfName(user) })),
  ]
}

/** The same for policies; nothing where the mapping has faults, which are printed then. */
async function policyPrincipals(
  context: CommandContext,
  flags: DiffPolicyFlags,
  documents: { readonly old: unknown; readonly all: readonly unknown[] },
): Promise<readonly PolicyPrincipal[] | undefined> {
  const { homeDomain } = flags
  const facts = flags.facts === undefined ? [] : await readFacts(context, flags.facts)
  const audited = flags.audit === undefined ? [] : await readAudited(context, flags.audit)
  const mapping = flags.principals === 'examples' ? undefined : await readMapping(context, flags)
  if (flags.principals === 'keystone' && mapping === undefined) return undefined
  const known =
    mapping === undefined
      ? documents.all.flatMap((document) => principalsOfPolicy(document, homeDomain))
      : (await readUsers(context, { cloud: flags.cloud, homeDomain })).flatMap((user) =>
          toPolicyPrincipals(user, mapping),
        )
  return [
    ...known,
    ...facts.map((raw) => toPolicyPrincipal(toRequest(withRequest(raw), {}, homeDomain))),
    ...audited.flatMap(({ user, entries }) =>
      entries.flatMap((place) => principalOfEntry(documents.old, { place, user, homeDomain }) ?? []),
    ),
  ]
}

async function readMapping(context: CommandContext, flags: DiffPolicyFlags): Promise<CompiledMapping | undefined> {
  const { homeDomain, output, mapping: file } = flags
  const parse = (document: unknown) => parseMapping(document, { digest: '', homeDomain })
  if (file !== undefined)
    return (await readDocument(context, file, { kind: 'mapping', homeDomain, output, parse, place: flags }))?.value
  const defaults = parse({})
  return defaults.ok ? defaults.value : undefined
}

/** The user whom the mapping makes, as kube-apiserver names it after the log-in; nobody where the mapping refuses. */
function toPolicyPrincipals({ label, identity }: KeystoneUser, mapping: CompiledMapping): PolicyPrincipal[] {
  const mapped = mapping.toUser(identity)
  if (!mapped.ok) return []
  const { username, uid, groups, extra } = mapped.value.user
  const asker = { user: username, uid, groups: [...groups, 'system:authenticated'], extra }
  return [{ label, asker, requests: [] }]
}

async function readUsers(...inputs: Parameters<typeof readKeystoneUsers>): Promise<readonly KeystoneUser[]> {
  return (await import('../principals/keystone-users.ts')).readKeystoneUsers(...inputs)
}

/** Facts of a user without a request stand for a user who asks what the documents name. */
function withRequest(raw: RawFacts): RawFacts {
  if (raw.kind !== undefined || raw.resource !== undefined || raw.path !== undefined) return raw
  return { verb: 'get', path: '/', ...raw }
}

/** A person reads this many of either kind; programs get all. */
const MAX_SHOWN = 200

function finish(context: CommandContext, output: string, differences: Differences, principals: number): void {
  const { gained, lost } = differences
  const paint = createPaint(context)
  if (output === 'json') printJson(context, differences)
  else {
    printLines(context, [
      ...gained.slice(0, MAX_SHOWN).map((one) => paint('green', `+ ${describe(one)}`)),
      ...lost.slice(0, MAX_SHOWN).map((one) => paint('red', `- ${describe(one)}`)),
    ])
    const left = Math.max(0, gained.length - MAX_SHOWN) + Math.max(0, lost.length - MAX_SHOWN)
    if (left > 0) note(context, `and ${left} more, which can do less harm; -o json has all`)
    if (gained.length + lost.length === 0) note(context, `No difference for ${principals} principals.`)
  }
  context.process.exitCode = gained.length + lost.length === 0 ? EXIT.done : EXIT.fault
}

function describe(one: Difference): string {
  return escapeHiddenCharacters(`${one.principal}: ${'group' in one ? `group ${one.group}` : one.permission}`)
}
