import type { Result } from '../../../lib/result.ts'
import type { DocumentKind } from '../check/document-kind.ts'
import { inspectSource } from '../check/inspect.ts'
import { formatReport } from '../check/report.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { createConfigStore } from '../kv/config-store.ts'
import { type PlaceFlags, toKey, toPlace } from '../kv/place.ts'
import { printJson } from '../output.ts'
import { toJsonSource } from '../source/json-source.ts'
import { readSource } from '../source/read-source.ts'
import type { Source } from '../source/source.ts'

interface ReadOptions<T> {
  readonly kind: DocumentKind
  readonly homeDomain: string
  readonly output: string
  readonly parse: (document: unknown) => Result<T, unknown>
  /** Which KV is meant where the file is called `live`. */
  readonly place?: PlaceFlags
}

/**
 * Reads a document that a command goes by. Of one with faults it prints the report of `check`, sets the exit code, and
 * gives nothing.
 */
export async function readDocument<T>(
  context: CommandContext,
  file: string,
  { kind, homeDomain, output, parse, place }: ReadOptions<T>,
): Promise<{ readonly document: unknown; readonly value: T } | undefined> {
  const source =
    file === 'live' && place !== undefined ? await readLive(context, kind, place) : await readSource(context, file)
  const parsed = source.document.ok ? parse(source.document.value) : undefined
  if (source.document.ok && parsed?.ok) return { document: source.document.value, value: parsed.value }
  const report = inspectSource(source, { kind, homeDomain, nowMs: context.now() })
  if (output === 'json') printJson(context, [report])
  else context.process.stderr.write(`${formatReport(context, kind, report, source).join('\n')}\n`)
  context.process.exitCode = EXIT.fault
  return undefined
}

/** The document in KV, instead of one in a file. */
async function readLive(context: CommandContext, kind: DocumentKind, place: PlaceFlags): Promise<Source> {
  const key = toKey(kind, place)
  const text = await createConfigStore(context, toPlace(place)).get(key)
  if (text === undefined) throw new CommandError(EXIT.fault, `there is no ${key} in KV`, 'put one first')
  return toJsonSource('live', text)
}
