import type { Fault } from '../../../lib/fault.ts'
import type { Result } from '../../../lib/result.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { isObject, type RawFacts } from '../facts/read-facts.ts'
import { createConfigStore } from '../kv/config-store.ts'
import { toKey, toPlace } from '../kv/place.ts'
import { type PutOptions, putDocument, readStored } from '../kv/put-document.ts'
import { checkReadyUrl, type ReadyFlags, waitForDigest } from '../kv/wait-for-digest.ts'
import { note } from '../output.ts'
import { confirm } from '../prompts.ts'
import { readSource } from '../source/read-source.ts'

/** Where the document is that a command edits: a file, or KV. */
export interface TargetFlags extends ReadyFlags {
  readonly file?: string
  readonly local: boolean
  readonly remote: boolean
  readonly cluster?: string
  readonly yes: boolean
  readonly output: 'text' | 'json'
}

/** The flags of a command that edits nothing. */
export type ListFlags = Omit<TargetFlags, 'yes' | keyof ReadyFlags>

/** A kind of document that is edited here, and the Worker's parser of it. */
export interface Editable {
  readonly kind: 'callers' | 'authenticators'
  readonly parse: (document: unknown) => Result<unknown, readonly Fault[]>
}

type SaveOptions = Pick<PutOptions, 'draft' | 'question'>

/** A document that was read to be edited. */
export interface EditTarget {
  /** What the document is called in messages. */
  readonly name: string
  readonly document: RawFacts
  /**
   * Writes the edit, which the Worker's parser must accept, after the question. The file of `draft` is replaced if the
   * edit is written, and not otherwise.
   */
  save(edited: RawFacts, options?: SaveOptions): Promise<void>
  /** Waits until the edit is in force, where an address is given. To be called when all is printed. */
  settle(): Promise<void>
}

/** Reads the document of a file, or of KV with `--local` or `--remote`. One that is not there is empty. */
export async function openTarget(context: CommandContext, flags: TargetFlags, editable: Editable): Promise<EditTarget> {
  if (!flags.local && !flags.remote) return openFile(context, flags, editable)
  if (flags.file !== undefined)
    throw usageError('is the file meant, or KV?', 'give either --file, or --local or --remote')
  return openKv(context, flags, editable)
}

async function openFile(context: CommandContext, flags: TargetFlags, { kind, parse }: Editable): Promise<EditTarget> {
  const { file = `${kind}.json`, yes } = flags
  for (const name of ['url', 'cluster'] as const)
    if (flags[name] !== undefined) throw usageError(`--${name} is for KV`, 'give --local or --remote with it')
  if (/\.ya?ml$/i.test(file))
    throw usageError(`${file} is YAML`, 'only JSON is edited here, as YAML would lose its comments')
  const document = (await context.files.exists(file))
    ? unwrapParsed(file, (await readSource(context, file)).document, parse)
    : {}
  return {
    name: file,
    document,
    async save(edited, { draft: makeDraft, question } = {}) {
      const text = toText(edited, parse)
      if (question !== undefined) await confirm(context, question, yes)
      await context.uninterrupted(async () => {
        const draft = await makeDraft?.()
        try {
          await context.files.write(file, text)
        } catch (error) {
          await draft?.discard()
          throw error
        }
        await draft?.commit()
      })
    },
    settle: () => Promise.resolve(),
  }
}

async function openKv(context: CommandContext, flags: TargetFlags, { kind, parse }: Editable): Promise<EditTarget> {
  const place = toPlace(flags)
  const store = createConfigStore(context, place)
  const key = toKey(kind, flags)
  checkReadyUrl(flags)
  const stored = await readStored(context, store, key)
  const name = `${key} in the ${place} KV`
  let digest: string | undefined
  return {
    name,
    document: stored.text === undefined ? {} : unwrapParsed(name, parseText(stored.text), parse),
    async save(edited, options = {}) {
      const edit = { kind, key, text: toText(edited, parse), stored }
      const outcome = await putDocument(context, store, edit, { yes: flags.yes, homeDomain: '', ...options })
      if (outcome.isChanged && !outcome.isStopped) digest = outcome.digest
    },
    async settle() {
      if (digest !== undefined && (await waitForDigest(context, kind, digest, flags)))
        note(context, `${key} is in force`)
    },
  }
}

function parseText(text: string): Result<unknown, readonly Fault[]> {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false, error: [{ path: '', message: 'is no JSON' }] }
  }
}

function unwrapParsed(name: string, document: Result<unknown, readonly Fault[]>, parse: Editable['parse']): RawFacts {
  const faults = document.ok ? parse(document.value) : document
  if (faults.ok && document.ok && isObject(document.value)) return document.value
  const [fault] = faults.ok ? [] : faults.error
  throw new CommandError(
    EXIT.fault,
    `${name}: ${fault?.path} ${fault?.message}`,
    'correct the document first; check shows all faults',
  )
}

function toText(document: RawFacts, parse: Editable['parse']): string {
  const parsed = parse(document)
  if (parsed.ok) return `${JSON.stringify(document, null, 2)}\n`
  const [fault] = parsed.error
  throw new CommandError(EXIT.fault, `the edit is refused: ${fault?.path} ${fault?.message}`)
}

/** The value of an edit, or the end of the command. */
export function unwrap<T>(edited: Result<T, string>): T {
  if (edited.ok) return edited.value
  throw new CommandError(EXIT.fault, edited.error)
}
