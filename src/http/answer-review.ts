import { type Answer, answerVerdict } from '../authn/authenticate.ts'
import { type AccessAnswer, answerAccess } from '../authz/authorize.ts'
import { decodeReview, type Review } from '../k8s/decode-review.ts'
import type { Audit } from '../telemetry/audit.ts'
import type { AuditCaller } from '../telemetry/caller-audit.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { IdentifyCaller } from './caller.ts'
import { problem } from './problem.ts'
import { readJson } from './read-json.ts'
import { rayOf, refuseCaller } from './refuse-caller.ts'

/** Keeps work alive behind the answer (`ctx.waitUntil`). */
export type WaitUntil = (promise: Promise<unknown>) => void

/** Answers one review for one cluster, without a promise where nothing is waited for. Fails for bugs only. */
export type AnswerReview = (review: Review, cluster: string, waitUntil: WaitUntil) => AnyAnswer | Promise<AnyAnswer>

type AnyAnswer = Answer | AccessAnswer

export interface WebhookDeps {
  readonly identifyCaller: IdentifyCaller
  readonly review: AnswerReview
  readonly audit: Audit
  readonly auditCaller: AuditCaller
  /** None without the binding `METRICS`. */
  readonly metrics: Metrics | undefined
  readonly onUnexpected: (error: unknown) => void
}

/** An answer to a POST without a lifetime is not cached (RFC 9111, section 3); each header more costs a warm review. */
const ANSWERED = { headers: { 'Content-Type': 'application/json' } }

/** Answers `POST /webhook`, or `POST /clusters/<named>/webhook`. */
export type Webhook = (request: Request, named: string | undefined, waitUntil: WaitUntil) => Promise<Response>

/**
 * The checks in the order 401, 403, 415, 413, 400; then every decoded review is answered with 200 (or 503 for a
 * SubjectAccessReview that cannot be decided), in its own apiVersion, and leaves one audit line and one data point.
 */
export function createWebhook(deps: WebhookDeps): Webhook {
  const { identifyCaller, review, audit, metrics, onUnexpected } = deps
  return async (request, named, waitUntil) => {
    const startedAtMs = metrics === undefined ? 0 : metrics.now()
    const identified = identifyCaller(request, named, waitUntil)
    const caller = identified instanceof Promise ? await identified : identified
    if (!caller.ok) return refuseCaller(caller.error, request, named, deps.auditCaller)
    const body = await readJson(request)
    if (!body.ok) return body.error
    const decoded = decodeReview(body.value)
    if (!decoded.ok) return problem('BadRequest', `${decoded.error.path}: ${decoded.error.message}`)
    let answer: AnyAnswer
    try {
      const answering = review(decoded.value, caller.value, waitUntil)
      answer = answering instanceof Promise ? await answering : answering
    } catch (error) {
      onUnexpected(error)
      answer = answerUnexpected(decoded.value)
    }
    audit(caller.value, answer.record, () => rayOf(request))
    metrics?.review(caller.value, answer.record, startedAtMs)
    if ('undecided' in answer) return problem('ServiceUnavailable', answer.undecided)
    return new Response(answer.body, ANSWERED)
  }
}

function answerUnexpected({ kind, review }: Review): AnyAnswer {
  return kind === 'TokenReview'
    ? answerVerdict(review, { reason: 'unexpected' })
    : answerAccess(review, { decision: 'unknown', because: 'unexpected' })
}
