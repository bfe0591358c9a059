import { parseDocumentText } from '../../../documents/document-text.ts'
import type { Fault } from '../../../lib/fault.ts'
import { parsePolicy } from '../../../policy/parse-policy.ts'
import type { PolicyEntry } from '../../../policy/policy-document.ts'
import { CommandError, EXIT } from '../command-error.ts'
import { isObject } from '../facts/read-facts.ts'
import type { Change, ImportResult } from './change.ts'
import { findPolicyChanges, toUnusableChange } from './policy-changes.ts'

interface PolicyOptions {
  readonly homeDomain: string
  /** In place of `$PROJECT_ID`. */
  readonly projectId: string | undefined
}

/** The variable that Magnum's tooling fills in. */
const VARIABLE = /\$(?:PROJECT_ID|\{PROJECT_ID\})/g

/** Whether the policy waits for a project's id. */
export function needsProjectId(policy: unknown): boolean {
  return JSON.stringify(policy).search(VARIABLE) >= 0
}

/**
 * Imports a policy of k8s-keystone-auth as a list, so that it never grants more than before. An entry that is refused
 * here is left out and named: k8s-keystone-auth ignores what is mistyped in it, and the entry then grants more than it says.
 */
export function importPolicy(policy: unknown, { homeDomain, projectId }: PolicyOptions): ImportResult {
  if (!Array.isArray(policy)) return importObjectForm(policy, { homeDomain, projectId })
  const changes: Change[] = []
  const kept: unknown[] = []
  for (const [index, original] of policy.entries()) {
    const entry = projectId === undefined ? original : fillIn(original, projectId)
    const parsed = parseAsText([entry], homeDomain)
    const path = `[${index}]`
    if (!parsed.ok) {
      changes.push(...parsed.error.map((fault) => explainLeftOut(fault, path)))
      continue
    }
    if (entry !== original && needsProjectId(original))
      changes.push({ path, message: `$PROJECT_ID is now ${projectId}` })
    kept.push(entry)
    // The parser accepted it.
    changes.push(...findPolicyChanges(entry as PolicyEntry, path))
    changes.push(
      ...parsed.value.warnings
        .map((one) => ({ ...one, path: one.path.replace('[0]', path) }))
        .flatMap(toUnusableChange),
    )
  }
  const whole = parsePolicy(kept, homeDomain)
  if (!whole.ok) throw new CommandError(EXIT.fault, `the policy ${whole.error[0]?.message}`)
  return { documents: [{ name: 'policy.json', document: kept }], changes }
}

/** A key `__proto__` is refused in a text only. */
function parseAsText(policy: unknown, homeDomain: string): ReturnType<typeof parsePolicy> {
  const read = parseDocumentText(JSON.stringify(policy))
  return read.ok ? parsePolicy(read.value, homeDomain) : read
}

function importObjectForm(original: unknown, { homeDomain, projectId }: PolicyOptions): ImportResult {
  const needsId = needsProjectId(original)
  const policy = projectId === undefined ? original : fillIn(original, projectId)
  const parsed = parseAsText(policy, homeDomain)
  const changes = needsId ? [{ path: '', message: `$PROJECT_ID is now ${projectId}` }] : []
  if (parsed.ok) return { documents: [{ name: 'policy.json', document: policy }], changes }
  if (needsId && projectId === undefined)
    throw new CommandError(EXIT.fault, 'the policy has $PROJECT_ID in it', 'import again with --project-id ID')
  const [fault] = parsed.error
  throw new CommandError(EXIT.fault, `the policy: ${fault?.path} ${fault?.message}`)
}

function fillIn(value: unknown, projectId: string): unknown {
  if (typeof value === 'string') return value.replace(VARIABLE, projectId)
  if (Array.isArray(value)) return value.map((one) => fillIn(one, projectId))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key.replace(VARIABLE, projectId), fillIn(one, projectId)]),
  )
}

function explainLeftOut({ path, message }: Fault, entry: string): Change {
  return {
    path: path.replace('[0]', entry),
    message: `${message}: the entry is left out. ${whatHappened(path, message)}`,
  }
}

function whatHappened(path: string, message: string): string {
  if (message.includes('variable')) return 'It is $PROJECT_ID or another variable: import again with --project-id ID'
  if (path === '[0]' || /\.(?:version|namespace)$/.test(path))
    return 'k8s-keystone-auth crashed on requests that reached the entry; now the entries behind it decide them'
  return 'k8s-keystone-auth ignored this, and the entry could grant more than it says: write what is meant'
}
