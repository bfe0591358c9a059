import { err, ok, type Result } from '../../../lib/result.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import type { Position } from './position.ts'
import type { Source } from './source.ts'

/** A document is at most 4 Mi characters, of up to 3 bytes each; 1 KiB more shows that it is larger. */
const MAX_BYTES = 3 * 4 * 1024 * 1024 + 1024
const START: Position = { line: 1, column: 1 }

/** Reads a document, JSON or YAML, from a file or from standard input (`-`). A file that cannot be read ends the command. */
export async function readSource(context: CommandContext, file: string): Promise<Source> {
  const read = await decode(context, file)
  if (!read.ok) return faulty(file, read.error)
  const text = read.value
  if (isYaml(file, text)) return (await import('./yaml-source.ts')).toYamlSource(file, text)
  return (await import('./json-source.ts')).toJsonSource(file, text)
}

/** Reads a text of at most 4 MiB; anything else ends the command. */
export async function readText(context: CommandContext, file: string): Promise<string> {
  const read = await decode(context, file)
  if (read.ok) return read.value
  throw new CommandError(EXIT.fault, `${file} ${read.error}`)
}

async function decode(context: CommandContext, file: string): Promise<Result<string, string>> {
  const bytes = await context.files.read(file, MAX_BYTES)
  if (bytes.length > MAX_BYTES) return err('is larger than 4 MiB')
  try {
    // Without the byte order mark that editors on Windows put there.
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return err('is not text in UTF-8: save it in that encoding')
  }
}

/** By the name of the file; without an extension that says so, JSON begins with a bracket. */
function isYaml(file: string, text: string): boolean {
  if (/\.ya?ml$/i.test(file)) return true
  return !/\.json$/i.test(file) && !/^\s*[[{]/.test(text)
}

function faulty(file: string, message: string): Source {
  const error = [{ path: '', message, ...START }]
  return {
    file,
    text: '',
    document: { ok: false, error },
    locate: (faults) => faults.map((one) => ({ ...one, ...START })),
  }
}
