import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { readSource } from '../source/read-source.ts'

/** What is said of a user or a request, not yet checked: the keys of a document's `examples`, or a record of Kubernetes. */
export type RawFacts = Readonly<Record<string, unknown>>

/** Reads `--facts FILE`: one object or a list of objects, in JSON or YAML. */
export async function readFacts(context: CommandContext, file: string): Promise<readonly RawFacts[]> {
  const { document } = await readSource(context, file)
  if (!document.ok) {
    const [fault] = document.error
    throw new CommandError(EXIT.fault, `${file}:${fault?.line}:${fault?.column}: ${fault?.message}`)
  }
  const list = Array.isArray(document.value) ? document.value : [document.value]
  return list.map((facts: unknown, index) => {
    if (isObject(facts)) return facts
    throw new CommandError(EXIT.fault, `${file}: facts ${index + 1} are no object`, 'use the keys of examples')
  })
}

/** Reads the one object of `--facts FILE` that explain takes; none without the flag. */
export async function readOneFacts(context: CommandContext, file: string | undefined): Promise<RawFacts> {
  if (file === undefined) return {}
  const list = await readFacts(context, file)
  const [facts] = list
  if (facts === undefined || list.length > 1)
    throw new CommandError(EXIT.usage, `${file} holds ${list.length} objects; explain takes one`)
  return facts
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is RawFacts {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The entries of flags that were given, under the names of the document's keys. */
export function given(entries: RawFacts): RawFacts {
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  )
}
