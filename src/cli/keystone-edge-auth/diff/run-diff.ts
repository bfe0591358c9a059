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
import { diffMappings } from './diff-mappings.ts'
import { diffPolicies } from './diff-policies.ts'
import type { Difference, Differences } from './difference.ts'
import { principalsOfMapping, toMappingPrincipal } from './mapping-principals.ts'
import { principalsOfPolicy, toPolicyPrincipal } from './policy-principals.ts'

export interface DiffFlags extends PlaceFlags {
  readonly output: 'text' | 'json'
  readonly homeDomain: string
  readonly facts?: string
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
  const facts = flags.facts === undefined ? [] : await readFacts(this, flags.facts)
  const principals = [
    ...principalsOfMapping(before.document),
    ...principalsOfMapping(after.document),
    ...facts.map((raw) => toMappingPrincipal(toMappingExample(raw, {}))),
  ]
  finish(this, output, diffMappings(before.value, after.value, principals), principals.length)
}

/** Runs `policy diff OLD NEW`. */
export async function diffPolicyFiles(this: CommandContext, flags: DiffFlags, old: string, now: string): Promise<void> {
  const { homeDomain, output } = flags
  const parse = (document: unknown) => parsePolicy(document, homeDomain)
  const options = { kind: 'policy', homeDomain, output, parse, place: flags } as const
  const before = await readDocument(this, old, options)
  const after = before && (await readDocument(this, now, options))
  if (before === undefined || after === undefined) return
  const facts = flags.facts === undefined ? [] : await readFacts(this, flags.facts)
  const principals = [
    ...principalsOfPolicy(before.document, homeDomain),
    ...principalsOfPolicy(after.document, homeDomain),
    ...facts.map((raw) => toPolicyPrincipal(toRequest(withRequest(raw), {}, homeDomain))),
  ]
  finish(this, output, diffPolicies(before.value.policy, after.value.policy, principals), principals.length)
}

/** Facts of a user without a request stand for a user who asks what the documents name. */
function withRequest(raw: RawFacts): RawFacts {
  if (raw.kind !== undefined || raw.resource !== undefined || raw.path !== undefined) return raw
  return { verb: 'get', path: '/', ...raw }
}

function finish(context: CommandContext, output: string, differences: Differences, principals: number): void {
  const { gained, lost } = differences
  const paint = createPaint(context)
  if (output === 'json') printJson(context, differences)
  else {
    printLines(context, [
      ...gained.map((one) => paint('green', `+ ${describe(one)}`)),
      ...lost.map((one) => paint('red', `- ${describe(one)}`)),
    ])
    if (gained.length + lost.length === 0) note(context, `No difference for ${principals} principals of the documents.`)
  }
  context.process.exitCode = gained.length + lost.length === 0 ? EXIT.done : EXIT.fault
}

function describe(one: Difference): string {
  return `${one.principal}: ${'group' in one ? `group ${one.group}` : one.permission}`
}
