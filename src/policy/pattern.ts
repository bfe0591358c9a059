import { err, ok, type Result } from '../lib/result.ts'

/**
 * One half of a v2 permission key: `*`, a value, `!value`, `['a', 'b']` or `!['a', 'b']`. A list that holds `*` takes
 * everything, a negated one nothing.
 */
export interface Pattern {
  readonly negated: boolean
  /** A bare `*`, which alone covers subresources as well. */
  readonly isStar: boolean
  readonly values: readonly string[]
}

/** Reads a half; the error says why it can never match. */
export function parsePattern(text: string): Result<Pattern, string> {
  if (text === '') return err('is empty')
  if (text === '*') return ok({ negated: false, isStar: true, values: ['*'] })
  const negated = text.startsWith('!')
  const rest = negated ? text.slice(1) : text
  if (!rest.startsWith('['))
    return rest === '' ? err('negates nothing') : ok({ negated, isStar: false, values: [rest] })
  const values = parseList(rest)
  return values === undefined ? err("is not a list such as ['a', 'b']") : ok({ negated, isStar: false, values })
}

/** Whether the pattern takes something, by what its single values take. */
export function patternTakes(pattern: Pattern, takes: (value: string) => boolean): boolean {
  return pattern.values.some((value) => value === '*' || takes(value)) !== pattern.negated
}

// k8s-keystone-auth writes lists with single quotes and reads them as JSON, unless a bracket comes before the last one:
// then nothing matches, where a negated list would take nearly everything.
function parseList(text: string): readonly string[] | undefined {
  if (text.indexOf(']') !== text.length - 1) return undefined
  try {
    const list: unknown = JSON.parse(text.replaceAll("'", '"'))
    return Array.isArray(list) && list.every((value) => typeof value === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
