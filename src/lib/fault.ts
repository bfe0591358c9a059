import type * as v from 'valibot'

/** What is wrong with a document, a setting or a body: where, and what was expected there. Never what was there. */
export interface Fault {
  /** A JSON path such as `rules[3].groups[0]`; empty for the whole. */
  readonly path: string
  readonly message: string
}

/** What is valid and most likely not meant: where, and why. */
export type Warning = Fault

/**
 * All faults that a schema found, each at the deepest place that can be named. Schemas give messages of their own
 * ("expected …"): the library's repeat what was received, and are not used.
 */
export function toFaults(issues: readonly v.BaseIssue<unknown>[]): Fault[] {
  return issues.flatMap((issue) => flatten(issue, []))
}

/** `['rules', 3, 'groups']` as `rules[3].groups`. */
export function toPath(keys: readonly unknown[]): string {
  return keys.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('')
}

function flatten(issue: v.BaseIssue<unknown>, outer: readonly unknown[]): Fault[] {
  const keys = [...outer, ...(issue.path ?? []).map(({ key }) => key)]
  // Of the branches of a union one was meant: those that were followed into the value, if any.
  const inner = (issue.issues ?? []).flatMap(findFollowed)
  if (inner.length > 0) return inner.flatMap((branch) => flatten(branch, keys))
  return [{ path: toPath(keys), message: explain(issue) }]
}

/** What lies deeper in a branch of a union, through unions within unions. */
function findFollowed(branch: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  return branch.path === undefined ? (branch.issues ?? []).flatMap(findFollowed) : [branch]
}

function explain(issue: v.BaseIssue<unknown>): string {
  const onKey = issue.path?.at(-1)?.origin === 'key'
  if (onKey && issue.expected === 'never') return 'is not a key here'
  if (onKey && issue.type === 'strict_object') return 'is missing'
  return issue.message.startsWith('Invalid ') ? `expected ${kindOf(issue.expected)}` : issue.message
}

function kindOf(expected: string | null): string {
  if (expected === 'Array') return 'a list'
  if (expected === 'Object') return 'an object'
  return expected === 'boolean' ? 'true or false' : `a ${expected}`
}
const MAX_FAULTS = 100
/** Paths hold keys of the document, and examples quote groups: both are as long as whoever wrote them liked. */
const MAX_CHARACTERS = 500

/** As many faults as a person reads; a list of half a million mistyped rules must fit into a log line and an answer. */
export function limitFaults(faults: readonly Fault[]): readonly Fault[] {
  const shown = faults
    .slice(0, MAX_FAULTS)
    .map(({ path, message }) => ({ path: shorten(path), message: shorten(message) }))
  const more = faults.length - shown.length
  return more === 0 ? shown : [...shown, { path: '', message: `and ${more} more` }]
}

function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`
}
