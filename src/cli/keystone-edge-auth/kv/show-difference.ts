import { diffLines } from 'diff'
import { parseCallers } from '../../../documents/callers.ts'
import { parseDocumentText } from '../../../documents/document-text.ts'
import { parseAuthenticators } from '../../../mapping/authenticators.ts'
import { parseMapping } from '../../../mapping/parse-mapping.ts'
import { parsePolicy } from '../../../policy/parse-policy.ts'
import type { DocumentKind } from '../check/document-kind.ts'
import { diffMappings } from '../diff/diff-mappings.ts'
import { diffPolicies } from '../diff/diff-policies.ts'
import type { Differences } from '../diff/difference.ts'
import { principalsOfMapping } from '../diff/mapping-principals.ts'
import { principalsOfPolicy } from '../diff/policy-principals.ts'

/** Who gains or loses what, where both texts are documents without faults; nothing for other kinds of documents. */
export function compareTexts(
  kind: DocumentKind,
  before: string,
  after: string,
  homeDomain: string,
): Differences | undefined {
  const [old, now] = [parseDocumentText(before), parseDocumentText(after)]
  if (!old.ok || !now.ok) return undefined
  if (kind === 'mapping') {
    const [first, second] = [old, now].map(({ value }) => parseMapping(value, { digest: '', homeDomain }))
    if (!first?.ok || !second?.ok) return undefined
    const principals = [...principalsOfMapping(old.value), ...principalsOfMapping(now.value)]
    return diffMappings(first.value, second.value, principals)
  }
  if (kind !== 'policy') return undefined
  const [first, second] = [old, now].map(({ value }) => parsePolicy(value, homeDomain))
  if (!first?.ok || !second?.ok) return undefined
  const principals = [...principalsOfPolicy(old.value, homeDomain), ...principalsOfPolicy(now.value, homeDomain)]
  return diffPolicies(first.value.policy, second.value.policy, principals)
}

const MAX_LINES = 60

/**
 * The changed lines of two texts, each with `+` or `-`. Of callers and authenticators they are shown only where both
 * texts have no faults, and so hold digests only: in a faulty one a token can stand in place of its digest.
 */
export function changedLines(kind: DocumentKind, before: string, after: string): string[] {
  if (!holdsNoSecret(kind, before) || !holdsNoSecret(kind, after))
    return ['(what is there has faults, and is not shown)']
  const lines = diffLines(pretty(before), pretty(after)).flatMap(({ added, removed, value }) =>
    added || removed
      ? value
          .trimEnd()
          .split('\n')
          .map((line) => `${added ? '+' : '-'} ${line}`)
      : [],
  )
  return lines.length > MAX_LINES
    ? [...lines.slice(0, MAX_LINES), `  and ${lines.length - MAX_LINES} more lines`]
    : lines
}

function holdsNoSecret(kind: DocumentKind, text: string): boolean {
  if (kind === 'mapping' || kind === 'policy') return true
  const document = parseDocumentText(text)
  if (!document.ok) return false
  return kind === 'callers' ? parseCallers(document.value).ok : parseAuthenticators(document.value, '').ok
}

function pretty(text: string): string {
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`
  } catch {
    return text
  }
}
