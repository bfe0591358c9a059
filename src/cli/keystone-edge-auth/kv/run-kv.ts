import type { DocumentKind } from '../check/document-kind.ts'
import { inspectSource } from '../check/inspect.ts'
import { formatReport } from '../check/report.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { printJson, printLines } from '../output.ts'
import { readSource } from '../source/read-source.ts'
import { historyKey } from './history.ts'
import { type PlaceFlags, toKey, toPlace } from './place.ts'
import { type PutFlags, putDocument, unwrapHistory } from './put-document.ts'
import { checkReadyUrl } from './wait-for-digest.ts'
import { createConfigStore } from './wrangler.ts'

export type PutCommandFlags = PlaceFlags & PutFlags

/** Runs `<kind> put FILE`. */
export function createPut(kind: DocumentKind) {
  return async function put(this: CommandContext, flags: PutCommandFlags, file: string): Promise<void> {
    const store = createConfigStore(this, toPlace(flags))
    const key = toKey(kind, flags)
    checkReadyUrl(flags)
    const source = await readSource(this, file)
    const report = inspectSource(source, { kind, homeDomain: flags.homeDomain, nowMs: this.now() })
    if (!source.document.ok || report.faults.length > 0) {
      if (flags.output === 'json') printJson(this, [report])
      else this.process.stderr.write(`${formatReport(this, kind, report, source).join('\n')}\n`)
      this.process.exitCode = EXIT.fault
      return
    }
    for (const { path, message } of report.warnings) this.process.stderr.write(`warning: ${path}: ${message}\n`)
    // JSON as it is, so that the digest is that of the file; YAML converted.
    const isJson = /^\s*[[{]/.test(source.text) && !/\.ya?ml$/i.test(file)
    const text = isJson ? source.text : `${JSON.stringify(source.document.value, null, 2)}\n`
    await putDocument(this, store, { kind, key, text }, flags)
  }
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
    await putDocument(this, store, { kind, key, text: version.text }, flags)
  }
}
