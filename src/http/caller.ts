import { createBoundedMap } from '../bounded-map.ts'
import { toHex } from '../cache/fingerprint.ts'
import type { Callers } from '../documents/callers.ts'
import { err, ok, type Result } from '../result.ts'
import { problem } from './problem.ts'

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const REMEMBERED = { maxEntries: 1_000, maxWeight: 1_000_000 }

/**
 * Says which cluster a request comes from, or answers 401 for no known credential and 403 when the path names another
 * cluster (`named`). A caller is found by the SHA-256 of its bearer token, so no secret is compared. Accepted headers
 * are remembered, which keeps cryptography off the hot path; refused ones never are.
 */
export type IdentifyCaller = (request: Request, named: string | undefined) => Promise<Result<string, Response>>

export function createIdentifyCaller(callers: Callers): IdentifyCaller {
  const accepted = createBoundedMap<string, string>(REMEMBERED)

  async function find(header: string): Promise<string | undefined> {
    const token = BEARER.exec(header)?.[1]
    if (token === undefined) return undefined
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
    const cluster = callers.get(`sha256:${toHex(digest)}`)
    if (cluster !== undefined) accepted.set(header, cluster, header.length)
    return cluster
  }

  return async (request, named) => {
    const header = request.headers.get('Authorization')
    if (header === null) return err(unauthorized('no caller credential: send "Authorization: Bearer <credential>"'))
    const cluster = accepted.get(header) ?? (await find(header))
    if (cluster === undefined) return err(unauthorized(explainUnknown(callers)))
    if (named === undefined || named === cluster) return ok(cluster)
    return err(problem('Forbidden', "this credential belongs to another cluster than the path's; check the server URL"))
  }
}

function unauthorized(message: string): Response {
  return problem('Unauthorized', message, { 'WWW-Authenticate': 'Bearer realm="keystone-edge-auth"' })
}

function explainUnknown(callers: Callers): string {
  return callers.size === 0
    ? 'no caller is known here: the secret CALLERS is missing, empty or faulty; see the log of the webhook'
    : 'unknown caller credential: list "sha256:<hex SHA-256 of the credential>" for the cluster in CALLERS'
}
