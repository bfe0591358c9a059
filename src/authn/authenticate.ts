import type { FlightResult, Identities } from '../cache/identities.ts'
import type { DocumentMissing, Loaded } from '../documents/documents.ts'
import type { Mapping } from '../identity/mapping.ts'
import { encodeTokenReview, type TokenReview } from '../k8s/token-review.ts'
import { recogniseTokenFormat } from '../keystone/format.ts'
import type { ReviewRecord } from '../telemetry/audit.ts'
import { toOutcome, type Verdict } from './verdict.ts'

/** An answer ready to send, and what the audit line says of it. */
export interface Answer {
  readonly body: string
  readonly record: ReviewRecord
}

/** What one mapping makes of one identity; kept beside the identity, so that a warm review neither maps nor encodes. */
export type MappedAnswer = Pick<ReviewRecord, 'decision' | 'reason' | 'user' | 'leftOut'> & { readonly body: string }

/** Answers TokenReviews. Rejects only for bugs. */
export type Authenticate = (
  review: TokenReview,
  mapping: Loaded<Mapping>,
  waitUntil: (promise: Promise<unknown>) => void,
  budgetMs: number,
) => Answer | Promise<Answer>

export function createAuthenticate(identities: Identities<MappedAnswer>): Authenticate {
  return (review, loaded, waitUntil, budgetMs) => {
    if (!loaded.ok) return answerWithout(review, loaded.error)
    const mapping = loaded.value
    // Only tokens of a known shape are ever remembered, so one that is needs no second look at it.
    const remembered = identities.recall(review.token, mapping)
    if (remembered !== undefined) return answerFound(review, mapping, remembered)
    if (!isShapedLikeToken(review)) return answerVerdict(review, { reason: 'malformed' })
    const finding = identities.find(review.token, mapping, waitUntil, budgetMs)
    return finding.then((found) => answerFound(review, mapping, found))
  }
}

/** What no Keystone token looks like is a definite no, with or without a mapping. */
function answerWithout(review: TokenReview, missing: DocumentMissing): Answer {
  if (!isShapedLikeToken(review)) return answerVerdict(review, { reason: 'malformed' })
  return answerVerdict(review, { reason: missing === 'none' ? 'no_mapping' : 'documents' })
}

function isShapedLikeToken({ token }: TokenReview): boolean {
  return recogniseTokenFormat(token) !== undefined
}

function answerFound(
  review: TokenReview,
  mapping: Mapping,
  { result, source, fingerprint, keystoneCalls, keystoneMs }: FlightResult<MappedAnswer>,
): Answer {
  const cost = { source, fingerprint: fingerprint.slice(0, 12), keystoneCalls, keystoneMs }
  if (!result.ok) return answerVerdict(review, result.error, cost)
  const known = result.value
  const key = `${mapping.digest}\n${review.apiVersion}`
  let mapped = known.answer(key)
  if (mapped === undefined) {
    mapped = toMappedAnswer(review, judge(known.identity, mapping))
    known.keepAnswer(key, mapped, mapped.body.length)
  }
  return toAnswer(review, mapped, cost)
}

/** An answer for which no identity was needed, or none was found. */
export function answerVerdict(review: TokenReview, verdict: Verdict, cost: Cost = NO_COST): Answer {
  return toAnswer(review, toMappedAnswer(review, verdict), cost)
}

type Cost = Pick<ReviewRecord, 'source' | 'fingerprint' | 'keystoneCalls' | 'keystoneMs'>
const NO_COST: Cost = { keystoneCalls: 0, keystoneMs: 0 }

function judge(identity: Parameters<Mapping['toUser']>[0], mapping: Mapping): Verdict {
  const mapped = mapping.toUser(identity)
  if (!mapped.ok) return mapped.error
  return { reason: identity.groups === 'refused' ? 'groups_refused' : 'authenticated', ...mapped.value }
}

function toMappedAnswer({ apiVersion }: TokenReview, verdict: Verdict): MappedAnswer {
  const { status, decision, auditReason, user, leftOut } = toOutcome(verdict)
  return { body: encodeTokenReview(apiVersion, status), decision, reason: auditReason, user, leftOut }
}

function toAnswer(
  { apiVersion }: TokenReview,
  { body, decision, reason, user, leftOut }: MappedAnswer,
  cost: Cost,
): Answer {
  return { body, record: { kind: 'TokenReview', apiVersion, decision, reason, user, ...cost, leftOut } }
}
