import { HTTPException } from 'hono/http-exception'

/** Why a request is no review, in the words of the Kubernetes API (`metav1.StatusReason`), with its status code. */
const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestEntityTooLarge: 413,
  ServiceUnavailable: 503,
} as const

type ProblemReason = keyof typeof CODES

/** For answers that must never come out of a cache on the way. */
export const NO_STORE = { 'Cache-Control': 'no-store' } as const

/**
 * A `v1` Status, as kube-apiserver logs it. `message` says what is wrong, where, and what to do, and repeats nothing of the
 * request. Never with `Retry-After`: client-go would send each such request up to 55 times.
 */
export function toStatusResponse(
  reason: ProblemReason,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const code = CODES[reason]
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return Response.json(status, { status: code, headers: { ...NO_STORE, ...headers } })
}

/** The same, to be thrown: Hono's `onError` answers with it. */
export function problem(...[reason, message, headers]: Parameters<typeof toStatusResponse>): HTTPException {
  return new HTTPException(CODES[reason], { res: toStatusResponse(reason, message, headers) })
}
