import type { Asked } from '../authn/keystone-authenticator.ts'
import { answerVerdict } from '../authn/verdict.ts'
import { type AccessAnswer, answerAccess } from '../authz/authorize.ts'
import { decodeReview, type Review } from '../k8s/decode-review.ts'
import type { Clock, ExecutionCtx } from '../lib/clock.ts'
import type { Answer, Audit } from '../telemetry/audit.ts'
import type { AuditCaller } from '../telemetry/caller-audit.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type CallerIdentifier, checkNamed } from './caller-identifier.ts'
import { problem, toStatusResponse } from './problem.ts'
import { readJson } from './read-json.ts'
import { rayOf, refuseCaller } from './refuse-caller.ts'

/** What decides a review. Each method may throw for bugs only. */
export interface Reviewer {
  /** Refreshes the documents that the review needs. The promise, if any, is what the review waits for. */
  refresh(review: Review, asked: Asked): Promise<unknown> | undefined
  /** The answer that needs no waiting; `undefined`: call `load`. */
  peek(review: Review, asked: Asked): Answer | AccessAnswer | undefined
  load(review: Review, asked: Asked): Promise<Answer | AccessAnswer>
}

/** "Cannot tell": a setting is faulty, or the review met an error that nothing foresaw. */
export function answerUndecided({ kind, review }: Review, reason: 'settings' | 'unexpected'): Answer | AccessAnswer {
  return kind === 'TokenReview'
    ? answerVerdict(review, { reason })
    : answerAccess(review, { decision: 'unknown', because: reason })
}

interface AnswerReviewDeps {
  readonly callers: CallerIdentifier
  readonly reviewer: Reviewer
  /** The longest that a review may take, in milliseconds. */
  readonly reviewMs: number
  readonly clock: Pick<Clock, 'now'>
  readonly audit: Audit
  readonly auditCaller: AuditCaller
  /** `undefined` without the binding `METRICS`. */
  readonly metrics: Metrics | undefined
  readonly onUnexpected: (error: unknown) => void
}

/** Answers `POST /webhook`, or `POST /clusters/<named>/webhook`. Rejects with a problem for what is no review. */
export type AnswerReview = (request: Request, named: string | undefined, ctx: ExecutionCtx) => Promise<Response>

/** An answer to a POST without a lifetime is not cached (RFC 9111, section 3); each header more costs a warm review. */
const ANSWERED = { headers: { 'Content-Type': 'application/json' } }

/**
 * Checks in the order 401, 403, 413, 400. Every decoded review is answered with 200 (or 503 for a SubjectAccessReview that
 * cannot be decided) in its own apiVersion, and leaves one audit line and one data point.
 */
export function createAnswerReview(deps: AnswerReviewDeps): AnswerReview {
  const { callers, reviewer, audit, auditCaller, metrics, clock, reviewMs, onUnexpected } = deps
  return async function answerReview(request, named, ctx) {
    const startedAtMs = clock.now()
    const waiting = callers.refresh(ctx)
    if (waiting) await waiting
    const caller = checkNamed(callers.peek(request) ?? (await callers.identify(request)), named)
    if (!caller.ok) throw refuseCaller(caller.error, request, named, auditCaller)
    const decoded = decodeReview(await readJson(request))
    if (!decoded.ok) throw problem('BadRequest', `${decoded.error.path}: ${decoded.error.message}`)
    const asked = { cluster: caller.value, ctx, deadlineMs: startedAtMs + reviewMs }
    let answer: Answer | AccessAnswer
    try {
      const waitingForDocuments = reviewer.refresh(decoded.value, asked)
      if (waitingForDocuments) await waitingForDocuments
      answer = reviewer.peek(decoded.value, asked) ?? (await reviewer.load(decoded.value, asked))
    } catch (error) {
      onUnexpected(error)
      answer = answerUndecided(decoded.value, 'unexpected')
    }
    audit(caller.value, answer.record, () => rayOf(request))
    metrics?.review(caller.value, answer.record, startedAtMs)
    if ('undecided' in answer) return toStatusResponse('ServiceUnavailable', answer.undecided)
    return new Response(answer.body, ANSWERED)
  }
}
