import type { DocumentKind } from '../check/document-kind.ts'
import { inspectSource } from '../check/inspect.ts'
import { formatReport } from '../check/report.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson, printLines } from '../output.ts'
import { toJsonSource } from '../source/json-source.ts'
import { readSource } from '../source/read-source.ts'
import type { Source } from '../source/source.ts'
import { type ConfigStore, createConfigStore } from './config-store.ts'
import { historyKey } from './history.ts'
import { type PlaceFlags, toKey, toPlace } from './place.ts'
import { type Edit, type PutOptions, type PutOutcome, putDocument, readStored, unwrapHistory } from './put-document.ts'
import { checkReadyUrl, type ReadyFlags, waitForDigest } from './wait-for-digest.ts'

export type PutCommandFlags = PlaceFlags & ReadyFlags & Pick<PutOptions, 'yes' | 'homeDomain'>

/** Runs `<kind> put FILE`. */
export function createPut(kind: DocumentKind) {
  return async function put(this: CommandContext, flags: PutCommandFlags, file: string): Promise<void> {
    const store = createConfigStore(this, toPlace(flags))
    const key = toKey(kind, flags)
    checkReadyUrl(flags)
    const source = await readSource(this, file)
    // JSON as it is, so that the digest is that of the file; YAML converted.
    const isJson = !/\.ya?ml$/i.test(file) && isJsonText(source.text)
    const value = source.document.ok ? source.document.value : undefined
    const text = isJson ? source.text : `${JSON.stringify(value, null, 2)}\n`
    await checkAndPut(this, store, { kind, key, text }, { flags, source })
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Puts a document that has no faults; of one with faults it prints the report of `check`. */
async function checkAndPut(
  context: CommandContext,
  store: ConfigStore,
  edit: Omit<Edit, 'stored'>,
  { flags, source }: { readonly flags: PutCommandFlags; readonly source: Source },
): Promise<void> {
  const { kind } = edit
  // A cluster's document may be the text "shared", by which the shared one counts again (docs/mapping.md).
  const isShared = flags.cluster !== undefined && source.document.ok && source.document.value === 'shared'
  const report = inspectSource(source, { kind, homeDomain: flags.homeDomain, nowMs: context.now() })
  if (!isShared && report.faults.length > 0) {
    if (flags.output === 'json') printJson(context, [report])
    else note(context, formatReport(context, kind, report, source).join('\n'))
    context.process.exitCode = EXIT.fault
    return
  }
  for (const { path, message } of report.warnings) note(context, `warning: ${path}: ${message}`)
  const stored = await readStored(context, store, edit.key)
  await printOutcome(context, kind, await putDocument(context, store, { ...edit, stored }, flags), flags)
}

async function printOutcome(
  context: CommandContext,
  kind: DocumentKind,
  { key, digest, previous, differences, isChanged, isStopped }: PutOutcome,
  flags: PutCommandFlags,
): Promise<void> {
  const isInForce = isChanged && !isStopped && (await waitForDigest(context, kind, digest, flags))
  if (flags.output === 'json') printJson(context, { key, digest, previous, ...differences })
  else if (isChanged) printLines(context, [`put ${key}, ${digest}${isInForce ? ', which is in force' : ''}`])
  else note(context, `${key} is this text already`)
}

/** Runs `<kind> history`. */
export function createHistory(kind: DocumentKind) {
  return async function history(this: CommandContext, flags: PlaceFlags): Promise<void> {
    const key = toKey(kind, flags)
    const versions = unwrapHistory(key, await createConfigStore(this, toPlace(flags)).get(historyKey(key)))
    const listed = versions.map(({ replaced, digest }, index) => ({ version: index + 1, replaced, digest }))
    if (flags.output === 'json') printJson(this, listed)
    else
      printLines(
        this,
        listed.map((one) => `${one.version}  replaced ${one.replaced}  ${one.digest}`),
      )
  }
}

/** Runs `<kind> undo [N]`: puts the Nth former version, as `put` does. */
export function createUndo(kind: DocumentKind) {
  return async function undo(this: CommandContext, flags: PutCommandFlags, number = 1): Promise<void> {
    const store = createConfigStore(this, toPlace(flags))
    const key = toKey(kind, flags)
    checkReadyUrl(flags)
    const versions = unwrapHistory(key, await store.get(historyKey(key)))
    const version = versions[number - 1]
    if (version === undefined)
      throw new CommandError(EXIT.fault, `${key} has ${versions.length} former versions`, 'history lists them')
    const source = toJsonSource(`version ${number}`, version.text)
    await checkAndPut(this, store, { kind, key, text: version.text }, { flags, source })
  }
}
