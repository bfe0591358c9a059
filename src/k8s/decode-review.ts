import type { Fault } from '../lib/fault.ts'
import { ok, type Result } from '../lib/result.ts'
import { decodeSubjectAccessReview, type SubjectAccessReview } from './subject-access-review.ts'
import { decodeTokenReview, type TokenReview } from './token-review.ts'

/** What kube-apiserver may post. */
export type Review =
  | { readonly kind: 'TokenReview'; readonly review: TokenReview }
  | { readonly kind: 'SubjectAccessReview'; readonly review: SubjectAccessReview }

/** Reads either review, by its `kind`. */
export function decodeReview(body: unknown): Result<Review, Fault> {
  const kind = typeof body === 'object' && body !== null && 'kind' in body ? body.kind : undefined
  if (kind === 'SubjectAccessReview') {
    const decoded = decodeSubjectAccessReview(body)
    return decoded.ok ? ok({ kind, review: decoded.value }) : decoded
  }
  const decoded = decodeTokenReview(body)
  return decoded.ok ? ok({ kind: 'TokenReview', review: decoded.value }) : decoded
}
