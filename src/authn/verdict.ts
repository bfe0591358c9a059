import { encodeTokenReview, type TokenReview, type TokenReviewStatus, type UserInfo } from '../k8s/token-review.ts'
import type { SignatureRefusal } from '../keystone/signature.ts'
import type { Unavailable } from '../keystone/unavailable.ts'
import type { Rejection } from '../keystone/validate.ts'
import { type MappingRefusal, refusalReason } from '../mapping/mapping.ts'
import type { Answer, AuditReason, ReviewRecord } from '../telemetry/audit.ts'

/** What is said about a token, with the reason. */
export type Verdict =
  | { readonly reason: 'authenticated' | 'groups_refused'; readonly user: UserInfo; readonly leftOut: number }
  /** Not shaped like any Keystone token: nobody was asked. */
  | { readonly reason: 'malformed' }
  | SignatureRefusal
  | Rejection
  | MappingRefusal
  | Unavailable
  | BasicUnavailable
  /** A setting is faulty, or the code met an unexpected error. */
  | { readonly reason: 'settings' | 'unexpected' }
  /** There is no mapping to go by: none was ever put, or none can be read. */
  | { readonly reason: 'no_mapping' | 'documents' | 'authenticators' }

/** No verdict of the HTTP Basic service on a token. */
interface BasicUnavailable {
  readonly reason: 'basic_unavailable'
  /** `guessing`: too many wrong passwords; `unchecked`: it is not known whether the URL asks for credentials at all. */
  readonly cause: Unavailable['cause'] | 'guessing' | 'unchecked'
}

/** The answer that says a verdict, on the wire and in the audit line; its cost is none. */
export function answerVerdict({ apiVersion }: TokenReview, verdict: Verdict): Answer {
  const { status, ...said } = toStatus(verdict)
  const record = { kind: 'TokenReview', apiVersion, keystoneCalls: 0, keystoneMs: 0, leftOut: 0, ...said } as const
  return { body: encodeTokenReview(apiVersion, status), record }
}

type Said = Pick<ReviewRecord, 'decision' | 'reason' | 'user'> & {
  readonly status: TokenReviewStatus
  readonly leftOut?: number
}

/** The one place where verdicts become answers: a definite no has no `error`, "cannot tell now" has one. */
function toStatus(verdict: Verdict): Said {
  switch (verdict.reason) {
    case 'authenticated':
    case 'groups_refused': {
      const { reason, user, leftOut } = verdict
      return { status: { authenticated: true, user }, decision: 'allow', reason, user: user.username, leftOut }
    }
    case 'malformed':
    case 'bad_signature':
    case 'rejected':
    case 'expired':
    case 'access_rules':
      return definiteNo(verdict.reason)
    case 'reserved_name':
    case 'denied':
    case 'not_allowed':
      return definiteNo(refusalReason(verdict))
    case 'unavailable':
      return cannotTell(`keystone_${verdict.cause}`, `Keystone cannot be asked now: ${describe(verdict)}`)
    case 'settings':
      return cannotTell('settings', "keystone-edge-auth: the webhook's settings are faulty; its log names every fault")
    case 'no_mapping':
      return cannotTell('no_mapping', 'no mapping document; put {} for the defaults')
    case 'documents':
      return cannotTell('documents', 'keystone-edge-auth: the mapping document cannot be read now; see /readyz')
    case 'authenticators':
      return cannotTell('documents', 'keystone-edge-auth: the document authenticators cannot be read now; see /readyz')
    case 'basic_unavailable':
      return cannotTell(
        `basic_${verdict.cause}`,
        verdict.cause === 'guessing'
          ? 'too many wrong passwords for this user; try again in a minute'
          : 'the HTTP Basic service cannot be asked now; see the log of the webhook',
      )
    case 'unexpected':
      return cannotTell('unexpected', 'keystone-edge-auth: unexpected error; see the log of the webhook')
  }
}

function definiteNo(reason: AuditReason): Said {
  return { status: { authenticated: false }, decision: 'deny', reason }
}

function cannotTell(reason: AuditReason, error: string): Said {
  return { status: { authenticated: false, error }, decision: 'unknown', reason }
}

function describe({ cause, status }: Unavailable): string {
  switch (cause) {
    case 'timeout':
      return 'it did not answer in time'
    case 'network':
      return 'the connection failed'
    case 'status':
      return `it answered ${status}`
    case 'redirect':
      return `it answered with a redirect (${status}); set KEYSTONE_URL to where it leads`
    case 'malformed':
      return `the ${status} answer is not one of the Identity API v3; check KEYSTONE_URL`
    case 'too_large':
      return 'its answer is too large'
    case 'breaker_open':
      return 'its breaker is open after repeated failures'
    case 'rate_limited':
      return 'too many new tokens; see LOOKUPS'
    case 'busy':
      return 'too many look-ups wait for it'
  }
}
