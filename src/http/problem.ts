/** Why a request is no review, in the words of the Kubernetes API (`metav1.StatusReason`). */
export type ProblemReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'ServiceUnavailable'

const CODES: Readonly<Record<ProblemReason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  ServiceUnavailable: 503,
}

/** For answers to a GET, which must never come out of a cache on the way. */
export const JSON_HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } as const

/**
 * A `v1` Status, as kube-apiserver logs it. `message` says what is wrong, where, and what to do, and repeats nothing
 * of the request. Never with `Retry-After`: client-go would send every such request up to 55 times.
 */
export function problem(
  reason: ProblemReason,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const code = CODES[reason]
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return new Response(JSON.stringify(status), { status: code, headers: { ...JSON_HEADERS, ...headers } })
}
