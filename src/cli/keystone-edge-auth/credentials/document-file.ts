import type { Fault } from '../../../lib/fault.ts'
import type { Result } from '../../../lib/result.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { isObject, type RawFacts } from '../facts/read-facts.ts'
import { readSource } from '../source/read-source.ts'

type Parse = (document: unknown) => Result<unknown, readonly Fault[]>

/** Reads a document in JSON to edit it; a file that is not there is an empty document. */
export async function readForEdit(context: CommandContext, file: string, parse: Parse): Promise<RawFacts> {
  if (/\.ya?ml$/i.test(file))
    throw usageError(`${file} is YAML`, 'only JSON is edited here, as YAML would lose its comments')
  if (!(await context.files.exists(file))) return {}
  const { document } = await readSource(context, file)
  const faults = document.ok ? parse(document.value) : document
  if (faults.ok && document.ok && isObject(document.value)) return document.value
  const [fault] = faults.ok ? [] : faults.error
  throw new CommandError(
    EXIT.fault,
    `${file}: ${fault?.path} ${fault?.message}`,
    'correct the document first; check shows all faults',
  )
}

/** Writes an edited document, which the Worker's parser must accept. */
export async function writeEdited(
  context: CommandContext,
  file: string,
  document: RawFacts,
  parse: Parse,
): Promise<void> {
  const parsed = parse(document)
  if (!parsed.ok) {
    const [fault] = parsed.error
    throw new CommandError(EXIT.fault, `the edit is refused: ${fault?.path} ${fault?.message}`)
  }
  await context.files.write(file, `${JSON.stringify(document, null, 2)}\n`)
}

/** The value of an edit, or the end of the command. */
export function unwrap<T>(edited: Result<T, string>): T {
  if (edited.ok) return edited.value
  throw new CommandError(EXIT.fault, edited.error)
}
