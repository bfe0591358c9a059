import type { RawRequest } from './raw-connection.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'

/** The body of a TokenReview, as kube-apiserver sends it but for what kube-apiserver leaves empty. */
export function tokenReview(token: string): string {
  return JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
}

/** The body of a SubjectAccessReview of a Keystone user with one role, who wants to read pods in one namespace. */
export function accessReview(role: string, namespace: string): string {
  return JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1beta1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'alice',
      group: ['system:authenticated'],
      extra: {
        [`${IDENTITY}/project/id`]: ['423d41d3a02f4b77b4a9bbfbc3a1b3c6'],
        [`${IDENTITY}/project/name`]: ['demo'],
        [`${IDENTITY}/roles`]: [role],
      },
      resourceAttributes: { verb: 'get', resource: 'pods', version: 'v1', namespace },
    },
  })
}

/** A well-formed POST of a review to the webhook. `authorization` is the whole header. */
export function reviewRequest(authorization: string, body: string | Buffer): RawRequest {
  const headers = [
    ['Authorization', authorization],
    ['Content-Type', 'application/json'],
  ] as const
  return { method: 'POST', path: '/webhook', headers, body: Buffer.from(body), chunked: false, broken: false }
}

/** The status of a review's answer, as far as a load needs it. */
export interface ReviewStatus {
  readonly authenticated?: boolean
  readonly allowed?: boolean
  readonly error?: string
  readonly user?: { readonly username?: string }
}

/** The status of a review's answer; an empty one when the answer has none. @throws SyntaxError when the text is no JSON */
export function readReviewStatus(text: string): ReviewStatus {
  const review: { status?: ReviewStatus } = JSON.parse(text)
  return review.status ?? {}
}
