import { EXIT, isCommandError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson, printLines } from '../output.ts'
import { readSource } from '../source/read-source.ts'
import type { Source } from '../source/source.ts'
import type { DocumentKind } from './document-kind.ts'
import { toAnnotations } from './github.ts'
import { type FileReport, inspectSource } from './inspect.ts'
import { formatReport } from './report.ts'

export interface CheckFlags {
  readonly output: 'text' | 'json' | 'github'
  readonly strict: boolean
  readonly homeDomain: string
}

/** Runs `<kind> check`: every file is checked, also behind one that cannot be read. */
export function createCheck(kind: DocumentKind) {
  return async function check(this: CommandContext, flags: CheckFlags, ...files: string[]): Promise<void> {
    const results: { readonly report: FileReport; readonly source: Source | undefined }[] = []
    let unreadable = false
    for (const file of files) {
      const source = await readSource(this, file).catch(toMessage)
      if (typeof source !== 'string') {
        const report = inspectSource(source, { kind, homeDomain: flags.homeDomain, nowMs: this.now() })
        results.push({ report, source })
        continue
      }
      unreadable = true
      const faults = [{ path: '', line: 1, column: 1, message: source }]
      results.push({ report: { file, faults, warnings: [] }, source: undefined })
    }
    const reports = results.map(({ report }) => report)
    if (flags.output === 'json') printJson(this, reports)
    else if (flags.output === 'github') printLines(this, reports.flatMap(toAnnotations))
    else for (const { report, source } of results) printLines(this, formatReport(this, kind, report, source))
    const failed = reports.some(({ faults, warnings }) => faults.length > 0 || (flags.strict && warnings.length > 0))
    if (flags.output === 'text' && flags.strict && failed) note(this, 'warnings count as failures: --strict')
    this.process.exitCode = unreadable ? EXIT.usage : failed ? EXIT.fault : EXIT.done
  }
}

function toMessage(error: unknown): string {
  if (isCommandError(error)) return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`
  throw error
}
