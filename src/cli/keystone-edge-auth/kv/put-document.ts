import { createHash } from 'node:crypto'
import type { DocumentKind } from '../check/document-kind.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import type { Differences } from '../diff/difference.ts'
import { createPaint, note, printJson, printLines } from '../output.ts'
import { confirm } from '../prompts.ts'
import type { ConfigStore } from './config-store.ts'
import { addVersion, historyKey, readHistory, type Version } from './history.ts'
import { changedLines, compareTexts } from './show-difference.ts'
import { waitForDigest } from './wait-for-digest.ts'

export interface PutFlags {
  readonly yes: boolean
  readonly homeDomain: string
  readonly output: 'text' | 'json'
  readonly url?: string
  readonly callerTokenFile?: string
  readonly cacert?: string
}

/** What is to be put where. */
export interface Edit {
  readonly kind: DocumentKind
  readonly key: string
  readonly text: string
}

/**
 * Puts a checked document: shows the difference with what is there, asks, keeps the former version, puts, and waits
 * until `/readyz` shows the digest. It refuses when another edit came in between.
 */
export async function putDocument(
  context: CommandContext,
  store: ConfigStore,
  edit: Edit,
  flags: PutFlags,
): Promise<void> {
  const { key, text } = edit
  note(context, `reading ${key} through wrangler …`)
  // One after the other: two wranglers at once on the local KV keep each other from starting.
  const before = await store.get(key)
  const history = unwrapHistory(key, await store.get(historyKey(key)))
  const digest = digestOf(text)
  if (before === text) {
    if (flags.output === 'json') printJson(context, { key, digest, previous: digest, gained: [], lost: [] })
    else note(context, `${key} is this text already`)
    return
  }
  const differences = before === undefined ? undefined : compareTexts(edit.kind, before, text, flags.homeDomain)
  showDifference(context, edit, before, differences)
  await confirm(context, before === undefined ? `Put ${key}, which is not there yet?` : `Put ${key}?`, flags.yes)
  note(context, `putting ${key} …`)
  if ((await store.get(key)) !== before)
    throw new CommandError(
      EXIT.fault,
      `${key} was edited meanwhile; nothing was put`,
      'run the command again and look at the difference',
    )
  await store.put({ ...toHistory(context, key, before, history), [key]: text })
  const isInForce = await waitForDigest(context, edit.kind, digest, flags)
  const previous = before === undefined ? null : digestOf(before)
  const { gained = [], lost = [] } = differences ?? {}
  if (flags.output === 'json') printJson(context, { key, digest, previous, gained, lost })
  else printLines(context, [`put ${key}, ${digest}${isInForce ? ', which is in force' : ''}`])
}

function toHistory(
  context: CommandContext,
  key: string,
  before: string | undefined,
  history: readonly Version[],
): Readonly<Record<string, string>> {
  if (before === undefined) return {}
  const version = { replaced: new Date(context.now()).toISOString(), digest: digestOf(before), text: before }
  return { [historyKey(key)]: JSON.stringify(addVersion(history, version)) }
}

/** The former versions of a document; a value that cannot be read is not overwritten. */
export function unwrapHistory(key: string, text: string | undefined): readonly Version[] {
  const history = readHistory(text)
  if (history.ok) return history.value
  throw new CommandError(
    EXIT.fault,
    `${historyKey(key)} ${history.error}`,
    `delete it: npx wrangler kv key delete ${historyKey(key)} --binding CONFIG`,
  )
}

function showDifference(
  context: CommandContext,
  { kind, text }: Edit,
  before: string | undefined,
  differences: Differences | undefined,
): void {
  if (before === undefined) return
  const paint = createPaint(context)
  for (const line of changedLines(kind, before, text)) note(context, line)
  if (differences === undefined) return
  const describe = (sign: string, one: Differences['gained'][number]): string =>
    `${sign} ${one.principal}: ${'group' in one ? `group ${one.group}` : one.permission}`
  const lines = [
    ...differences.gained.map((one) => paint('green', describe('gains', one))),
    ...differences.lost.map((one) => paint('red', describe('loses', one))),
  ]
  note(context, lines.length === 0 ? 'Nobody of the documents gains or loses anything.' : lines.slice(0, 40).join('\n'))
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
