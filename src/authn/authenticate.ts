import type { FoundIdentity, Identities, Query } from '../cache/identity-cache.ts'
import type { DocumentMissing, Loaded } from '../documents/registry.ts'
import { encodeTokenReview, type TokenReview } from '../k8s/token-review.ts'
import type { Identity } from '../keystone/identity.ts'
import { recogniseTokenFormat } from '../keystone/token-format.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { ReviewRecord } from '../telemetry/audit.ts'
import type { CheckSigned } from './signed.ts'
import { toOutcome, type Verdict } from './verdict.ts'

/** An answer ready to send, and what the audit line says of it. */
export interface Answer {
  readonly body: string
  readonly record: ReviewRecord
}

/**
 * What one mapping makes of one identity; kept beside the identity, so that a warm review neither maps, nor encodes,
 * nor puts its record together.
 */
export interface MappedAnswer extends Judged {
  /** The whole answer for an identity that is found in memory. */
  readonly fromMemory: Answer
}

/** A verdict in the words of the wire and of the audit line. */
type Judged = Pick<ReviewRecord, 'decision' | 'reason' | 'user' | 'leftOut'> & { readonly body: string }

/** Answers TokenReviews. Rejects only for bugs. */
export type Authenticate = (
  review: TokenReview,
  mapping: Loaded<Mapping>,
  asked: Pick<Query, 'cluster' | 'waitUntil'>,
  budgetMs: number,
) => Answer | Promise<Answer>

export interface AuthenticateDeps {
  readonly identities: Identities<MappedAnswer>
  readonly checkSigned: CheckSigned
  readonly now: () => number
}

export function createAuthenticate({ identities, checkSigned, now }: AuthenticateDeps): Authenticate {
  return (review, loaded, { cluster, waitUntil }, budgetMs) => {
    if (!loaded.ok) return answerWithout(review, loaded.error)
    const mapping = loaded.value
    // Only tokens of a known shape are ever remembered, so one that is needs no second look at it.
    const query = { token: review.token, mapping, cluster, waitUntil }
    const remembered = identities.recall(query)
    if (remembered !== undefined) return answerFound(review, mapping, remembered)
    const format = recogniseTokenFormat(review.token)
    if (format === undefined) return answerVerdict(review, { reason: 'malformed' })
    if (format === 'jws') return answerSigned(review, mapping, query, budgetMs)
    return identities.find(query, budgetMs).then((found) => answerFound(review, mapping, found))
  }

  /** A signature or an end that does not hold is a definite no without a look-up, in KV or of Keystone. */
  async function answerSigned(review: TokenReview, mapping: Mapping, query: Query, budgetMs: number): Promise<Answer> {
    const endsAtMs = now() + budgetMs
    const signed = await checkSigned(query)
    if (!signed.ok) return answerVerdict(review, signed.error)
    const groupsOf = mapping.mayReadGroups ? signed.value?.groupsOf : undefined
    return answerFound(review, mapping, await identities.find({ ...query, groupsOf }, endsAtMs - now()))
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

function answerFound(review: TokenReview, mapping: Mapping, found: FoundIdentity<MappedAnswer>): Answer {
  const { result, source } = found
  if (!result.ok) return answerVerdict(review, result.error, costOf(found))
  const known = result.value
  const isStale = source === 'stale'
  const form = isStale ? `${review.apiVersion} stale` : review.apiVersion
  let mapped = known.answer(mapping.digest, form)
  if (mapped === undefined) {
    mapped = toMappedAnswer(review, judge(known.identity, mapping, isStale), known.fingerprint)
    known.keepAnswer(mapping.digest, form, mapped, mapped.body.length)
  }
  return source === 'memory' ? mapped.fromMemory : toAnswer(review, mapped, costOf(found))
}

function costOf({ source, fingerprint, keystoneCalls, keystoneMs }: Omit<FoundIdentity<never>, 'result'>): Cost {
  return { source, fingerprint: fingerprint.slice(0, 12), keystoneCalls, keystoneMs }
}

function toMappedAnswer(review: TokenReview, verdict: Verdict, fingerprint: string): MappedAnswer {
  const judged = toJudged(review, verdict)
  const cost = costOf({ source: 'memory', fingerprint, keystoneCalls: 0, keystoneMs: 0 })
  return { ...judged, fromMemory: toAnswer(review, judged, cost) }
}

/** An answer for which no identity was needed, or none was found. */
export function answerVerdict(review: TokenReview, verdict: Verdict, cost: Cost = NO_COST): Answer {
  return toAnswer(review, toJudged(review, verdict), cost)
}

type Cost = Pick<ReviewRecord, 'source' | 'fingerprint' | 'keystoneCalls' | 'keystoneMs'>
const NO_COST: Cost = { keystoneCalls: 0, keystoneMs: 0 }

function judge(identity: Identity, mapping: Mapping, isStale: boolean): Verdict {
  const mapped = mapping.toUser(identity)
  if (!mapped.ok) return mapped.error
  const { user, leftOut } = mapped.value
  const reason = identity.groups === 'refused' ? 'groups_refused' : 'authenticated'
  return { reason, user: isStale ? { ...user, extra: { ...user.extra, ...STALE } } : user, leftOut }
}

/** Tells authorizers and auditors that Keystone could not be asked whether the user still stands. */
const STALE = { 'keystone-edge-auth/stale': ['true'] }

function toJudged({ apiVersion }: TokenReview, verdict: Verdict): Judged {
  const { status, decision, auditReason, user, leftOut } = toOutcome(verdict)
  return { body: encodeTokenReview(apiVersion, status), decision, reason: auditReason, user, leftOut }
}

function toAnswer({ apiVersion }: TokenReview, { body, decision, reason, user, leftOut }: Judged, cost: Cost): Answer {
  return { body, record: { kind: 'TokenReview', apiVersion, decision, reason, user, ...cost, leftOut } }
}
