import { createHash } from 'node:crypto'
import type { DocumentKind } from '../check/document-kind.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import type { Differences } from '../diff/difference.ts'
import type { Draft } from '../files.ts'
import { createPaint, note } from '../output.ts'
import { confirm } from '../prompts.ts'
import type { ConfigStore } from './config-store.ts'
import { addVersion, historyKey, readHistory, type Version } from './history.ts'
import { changedLines, compareTexts } from './show-difference.ts'

/** What a key of CONFIG holds, and held. */
export interface Stored {
  readonly text: string | undefined
  readonly history: readonly Version[]
}

/** What is to be put where, instead of what is stored. */
export interface Edit {
  readonly kind: DocumentKind
  readonly key: string
  readonly text: string
  readonly stored: Stored
}

export interface PutOptions {
  readonly yes: boolean
  readonly homeDomain: string
  /** Asked instead of the usual question. */
  readonly question?: string
  /** Writes a file that belongs to the edit: it replaces the file when the edit is put, and not before. */
  readonly draft?: () => Promise<Draft>
}

/** An edit that was put, or that is in KV already. */
export interface PutOutcome {
  readonly key: string
  readonly digest: string
  readonly previous: string | null
  readonly differences: Differences
  readonly isChanged: boolean
  /** Ctrl-C came while it was put: nothing more is to be done. */
  readonly isStopped: boolean
}

/** Reads a document and its former versions from CONFIG. */
export async function readStored(context: CommandContext, store: ConfigStore, key: string): Promise<Stored> {
  note(context, `reading ${key} through wrangler …`)
  // One after the other: two wranglers at once on the local KV keep each other from starting.
  const text = await store.get(key)
  return { text, history: unwrapHistory(key, await store.get(historyKey(key))) }
}

/**
 * Puts a checked document: shows the difference with what is there, asks, keeps the former version, and puts. It refuses
 * when another edit came in between. Ctrl-C changes nothing before the put, and waits for it.
 */
export async function putDocument(
  context: CommandContext,
  store: ConfigStore,
  edit: Edit,
  options: PutOptions,
): Promise<PutOutcome> {
  const { kind, key, text, stored } = edit
  const before = stored.text
  const digest = digestOf(text)
  const none = { gained: [], lost: [] }
  if (before === text) return { key, digest, previous: digest, differences: none, isChanged: false, isStopped: false }
  const differences = before === undefined ? undefined : compareTexts(kind, before, text, options.homeDomain)
  showDifference(context, edit, differences)
  const question = options.question ?? (before === undefined ? `Put ${key}, which is not there yet?` : `Put ${key}?`)
  await confirm(context, question, options.yes)
  if ((await store.get(key)) !== before)
    throw new CommandError(
      EXIT.fault,
      `${key} was edited meanwhile; nothing was put`,
      'run the command again and look at the difference',
    )
  const isStopped = await context.uninterrupted(() => putWithDraft(context, store, edit, options.draft))
  if (isStopped) {
    note(context, `stopped; ${key} is put, ${digest}`)
    context.process.exitCode = EXIT.fault
  }
  const previous = before === undefined ? null : digestOf(before)
  return { key, digest, previous, differences: differences ?? none, isChanged: true, isStopped }
}

/** The file of the draft is replaced if, and only if, the document is put. */
async function putWithDraft(
  context: CommandContext,
  store: ConfigStore,
  { key, text, stored }: Edit,
  makeDraft: PutOptions['draft'],
): Promise<void> {
  note(context, `putting ${key} …`)
  const draft = await makeDraft?.()
  try {
    await store.put({ ...toHistory(context, key, stored), [key]: text })
  } catch (error) {
    await draft?.discard()
    throw error
  }
  await draft?.commit()
}

function toHistory(context: CommandContext, key: string, { text, history }: Stored): Readonly<Record<string, string>> {
  if (text === undefined) return {}
  const version = { replaced: new Date(context.now()).toISOString(), digest: digestOf(text), text }
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
  { kind, text, stored }: Edit,
  differences: Differences | undefined,
): void {
  if (stored.text === undefined) return
  const paint = createPaint(context)
  for (const line of changedLines(kind, stored.text, text)) note(context, line)
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
