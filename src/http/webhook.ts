import { type Answer, answerVerdict } from '../authn/authenticate.ts'
import { type AccessAnswer, answerAccess } from '../authz/authorize.ts'
import { decodeReview, type Review } from '../k8s/review.ts'
import type { Audit } from '../telemetry/audit.ts'
import type { IdentifyCaller } from './caller.ts'
import { problem } from './problem.ts'
import { readJson } from './read-json.ts'

/** Keeps work alive behind the answer (`ctx.waitUntil`). */
export type WaitUntil = (promise: Promise<unknown>) => void

/** Answers one review for one cluster, without a promise where nothing is waited for. Fails for bugs only. */
export type AnswerReview = (review: Review, cluster: string, waitUntil: WaitUntil) => AnyAnswer | Promise<AnyAnswer>

type AnyAnswer = Answer | AccessAnswer

export interface WebhookDeps {
  readonly identifyCaller: IdentifyCaller
  readonly review: AnswerReview
  readonly audit: Audit
  readonly onUnexpected: (error: unknown) => void
}

/** An answer to a POST without a lifetime is not cached (RFC 9111, section 3); each header more costs a warm review. */
const ANSWERED = { headers: { 'Content-Type': 'application/json' } }

/** Answers `POST /webhook`, or `POST /clusters/<named>/webhook`. */
export type Webhook = (request: Request, named: string | undefined, waitUntil: WaitUntil) => Promise<Response>

/**
 * The checks in the order 401, 403, 415, 413, 400; then every decoded review is answered with 200 (or 503 for a
 * SubjectAccessReview that cannot be decided), in its own apiVersion, and leaves one audit line.
 */
export function createWebhook({ identifyCaller, review, audit, onUnexpected }: WebhookDeps): Webhook {
  return async (request, named, waitUntil) => {
    const identified = identifyCaller(request, named, waitUntil)
    const caller = identified instanceof Promise ? await identified : identified
    if (!caller.ok) return caller.error
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
    if ('undecided' in answer) return problem('ServiceUnavailable', answer.undecided)
    return new Response(answer.body, ANSWERED)
  }
}

function answerUnexpected({ kind, review }: Review): AnyAnswer {
  return kind === 'TokenReview'
    ? answerVerdict(review, { reason: 'unexpected' })
    : answerAccess(review, { decision: 'unknown', because: 'unexpected' })
}

/** Cloudflare's id of the request; anything else in that header comes from the caller and is dropped. */
function rayOf(request: Request): string | undefined {
  const ray = request.headers.get('CF-Ray')
  return ray !== null && /^[0-9a-f]{16}(?:-[A-Z]{3})?$/.test(ray) ? ray : undefined
}
