import { createMiddleware } from 'hono/factory'
import { createBoundedMap } from '../bounded-map.ts'
import { toHex } from '../cache/fingerprint.ts'
import type { Callers } from '../documents/callers.ts'
import { problem } from './problem.ts'
import type { AppEnv } from './variables.ts'

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const REMEMBERED = { maxEntries: 1_000, maxWeight: 1_000_000 }

/**
 * Lets in known callers only, and says which cluster they are: 401 without a known credential, 403 when the path names
 * another cluster. A caller is found by the SHA-256 of its bearer token, so no secret is compared. Accepted headers are
 * remembered, which keeps cryptography off the hot path; refused ones never are.
 */
export function requireCaller(callers: Callers) {
  const accepted = createBoundedMap<string, string>(REMEMBERED)

  async function identify(header: string): Promise<string | undefined> {
    const token = BEARER.exec(header)?.[1]
    if (token === undefined) return undefined
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
    const cluster = callers.get(`sha256:${toHex(digest)}`)
    if (cluster !== undefined) accepted.set(header, cluster, header.length)
    return cluster
  }

  return createMiddleware<AppEnv>(async (context, next) => {
    const header = context.req.header('Authorization')
    if (header === undefined) return unauthorized('no caller credential: send "Authorization: Bearer <credential>"')
    const cluster = accepted.get(header) ?? (await identify(header))
    if (cluster === undefined) return unauthorized(explainUnknown(callers))
    const named = context.req.param('cluster')
    if (named !== undefined && named !== cluster) {
      return problem('Forbidden', "this credential belongs to another cluster than the path's; check the server URL")
    }
    context.set('cluster', cluster)
    return next()
  })
}

function unauthorized(message: string): Response {
  return problem('Unauthorized', message, { 'WWW-Authenticate': 'Bearer realm="keystone-edge-auth"' })
}

function explainUnknown(callers: Callers): string {
  return callers.size === 0
    ? 'no caller is known here: the secret CALLERS is missing, empty or faulty; see the log of the webhook'
    : 'unknown caller credential: list "sha256:<hex SHA-256 of the credential>" for the cluster in CALLERS'
}
