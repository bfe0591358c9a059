import {
  encodeSubjectAccessReview,
  type SubjectAccessReview,
  type SubjectAccessReviewStatus,
} from '../k8s/subject-access-review.ts'
import type { Result } from '../lib/result.ts'
import { type Decision, reasonOf } from '../policy/decide.ts'
import type { ParsedPolicy } from '../policy/parse-policy.ts'
import { isKeystoneUser } from '../policy/principal.ts'
import type { Answer, ReviewRecord } from '../telemetry/audit.ts'

/** What is said about a request, with the reason. */
type AccessVerdict =
  | Decision
  | { readonly decision: 'no_opinion'; readonly because: 'no_policy' }
  | { readonly decision: 'unknown'; readonly because: 'documents' | 'settings' | 'unexpected' }

/** An answer; `undecided` is the message of a 503, so that the failure policy of the API server decides. */
export type AccessAnswer = Answer | (Pick<Answer, 'record'> & { readonly undecided: string })

/** Judges a request by the policy in force. Pure. */
export function authorize(
  { attributes }: SubjectAccessReview,
  policy: Result<ParsedPolicy, 'none' | 'unreadable'>,
): AccessVerdict {
  if (policy.ok) return policy.value.policy.decide(attributes)
  // A policy decides about Keystone's users only, also while no policy can be read.
  if (!isKeystoneUser(attributes)) return { decision: 'no_opinion', because: 'not_keystone' }
  if (policy.error === 'none') return { decision: 'no_opinion', because: 'no_policy' }
  return { decision: 'unknown', because: 'documents' }
}

/** Turns a verdict into the wire and the audit line. */
export function answerAccess({ apiVersion, attributes }: SubjectAccessReview, verdict: AccessVerdict): AccessAnswer {
  const record = {
    kind: 'SubjectAccessReview',
    apiVersion,
    decision: verdict.decision,
    reason: auditReasonOf(verdict),
    user: attributes.user,
    source: 'policy',
    keystoneCalls: 0,
    keystoneMs: 0,
    leftOut: 0,
  } as const
  const status = toStatus(verdict)
  return typeof status === 'string'
    ? { record, undecided: status }
    : { record, body: encodeSubjectAccessReview(apiVersion, status) }
}

/** `status` of the answer, or the message of the 503 that stands for "cannot be decided". */
function toStatus(verdict: AccessVerdict): SubjectAccessReviewStatus | string {
  switch (verdict.decision) {
    case 'allow':
      return { allowed: true, reason: reasonOf(verdict) }
    case 'deny':
      return { allowed: false, denied: true, reason: reasonOf(verdict) }
    case 'no_opinion':
      return {
        allowed: false,
        reason:
          verdict.because === 'no_policy' ? NO_POLICY : reasonOf({ decision: 'no_opinion', because: verdict.because }),
      }
    case 'unknown':
      return UNDECIDED[verdict.because]
  }
}

const NO_POLICY = 'no opinion: there is no policy document'

const UNDECIDED = {
  documents: 'the policy document cannot be read now, and no last good one is known; see /readyz',
  settings: "the webhook's settings are faulty; its log names every fault",
  unexpected: 'unexpected error; see the log of the webhook',
} as const

function auditReasonOf(verdict: AccessVerdict): ReviewRecord['reason'] {
  if (verdict.decision === 'allow') return `policy ${verdict.path}`
  return verdict.decision === 'deny' ? 'no_match' : verdict.because
}
