import { err, ok, type Result } from '../lib/result.ts'

/**
 * One part of a version 2 permission key: `*`, a value, `!value`, `['a', 'b']` or `!['a', 'b']`. A list with `*` matches
 * everything; a negated list with `*` matches nothing.
 */
export interface Pattern {
  readonly negated: boolean
  /** A bare `*`, the only pattern of a resource that matches subresources as well. */
  readonly isStar: boolean
  readonly values: readonly string[]
}

/** Reads one part of a key. The error says why the part can never match. */
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

/** Whether the pattern matches, if `takes` says which single values match. */
export function patternTakes(pattern: Pattern, takes: (value: string) => boolean): boolean {
  return pattern.values.some((value) => value === '*' || takes(value)) !== pattern.negated
}

// k8s-keystone-auth writes lists with single quotes and reads them as JSON. A list whose first "]" is not its last
// character never matches, negated or not: a negated one would otherwise match nearly everything.
function parseList(text: string): readonly string[] | undefined {
  if (text.indexOf(']') !== text.length - 1) return undefined
  try {
    const list: unknown = JSON.parse(text.replaceAll("'", '"'))
    return Array.isArray(list) && list.every((value) => typeof value === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
