import type { Fault } from '../../../lib/fault.ts'

/** A key of an object or an index of a list. */
export type Segment = string | number

/**
 * The keys and indexes that a fault's path (`rules[3].groups[0]`, `[0].resource_permissions["a/b"]`) names in a value, as
 * far as the value has them: what is missing is located at what should hold it. A key may itself hold dots and brackets,
 * so the value decides where a key ends.
 */
export function toSegments(path: string, value: unknown): readonly Segment[] {
  let best: readonly Segment[] = []
  const visit = (rest: string, at: unknown, segments: readonly Segment[]): boolean => {
    if (segments.length > best.length) best = segments
    if (rest === '') {
      best = segments
      return true
    }
    return stepsInto(rest, at, segments.length === 0).some(({ key, text, inner }) =>
      visit(rest.slice(text.length), inner, [...segments, key]),
    )
  }
  visit(path, value, [])
  return best
}

interface Step {
  readonly key: Segment
  /** The part of the path that names the key. */
  readonly text: string
  readonly inner: unknown
}

function stepsInto(rest: string, value: unknown, isFirst: boolean): Step[] {
  if (Array.isArray(value)) {
    const [text, digits] = /^\[(\d+)\]/.exec(rest) ?? []
    if (text === undefined || Number(digits) >= value.length) return []
    return [{ key: Number(digits), text, inner: value[Number(digits)] }]
  }
  if (typeof value !== 'object' || value === null) return []
  const steps = Object.entries(value).flatMap(([key, inner]) => {
    const spellings = [`${isFirst ? '' : '.'}${key}`, `[${JSON.stringify(key)}]`]
    const text = spellings.find((spelling) => rest.startsWith(spelling))
    return text === undefined || text === '' ? [] : [{ key, text, inner }]
  })
  // The longest key first: `a.b` before `a`.
  return steps.sort((left, right) => right.text.length - left.text.length)
}

/** Whether the fault is about the key itself, not about what it holds. Permissions are named by their keys. */
export function isAboutKey({ path, message }: Fault): boolean {
  return path.endsWith('"]') || /^is not a key here$|^is there twice$|^cannot be the name/.test(message)
}
