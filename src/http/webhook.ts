import type { Context } from 'hono'
import { type Answer, answerVerdict } from '../authn/authenticate.ts'
import { decodeTokenReview, type TokenReview } from '../k8s/token-review.ts'
import type { Audit } from '../telemetry/audit.ts'
import { JSON_HEADERS, problem } from './problem.ts'
import type { AppEnv } from './variables.ts'

/** Answers one review for one cluster. Rejects for bugs only. */
export type Review = (
  review: TokenReview,
  cluster: string,
  waitUntil: (promise: Promise<unknown>) => void,
) => Promise<Answer>

export interface WebhookDeps {
  readonly review: Review
  readonly audit: Audit
  readonly onUnexpected: (error: unknown) => void
}

/** `POST /webhook`: every decoded review is answered with 200, in its own apiVersion, and leaves one audit line. */
export function webhook({ review, audit, onUnexpected }: WebhookDeps) {
  return async (context: Context<AppEnv>): Promise<Response> => {
    const decoded = decodeTokenReview(context.get('body'))
    if (!decoded.ok) return problem('BadRequest', `${decoded.error.path}: ${decoded.error.message}`)
    const cluster = context.get('cluster')
    const waitUntil = (promise: Promise<unknown>): void => context.executionCtx.waitUntil(promise)
    const { body, record } = await review(decoded.value, cluster, waitUntil).catch((error: unknown) => {
      onUnexpected(error)
      return answerVerdict(decoded.value, { reason: 'unexpected' })
    })
    audit({ ...record, cluster, ray: rayOf(context) })
    return new Response(body, { headers: JSON_HEADERS })
  }
}

/** Cloudflare's id of the request; anything else in that header comes from the caller and is dropped. */
function rayOf(context: Context<AppEnv>): string | undefined {
  const ray = context.req.header('CF-Ray')
  return ray !== undefined && /^[0-9a-f]{16}(?:-[A-Z]{3})?$/.test(ray) ? ray : undefined
}
