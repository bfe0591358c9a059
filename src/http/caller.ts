import { type BoundedMap, createBoundedMap } from '../bounded-map.ts'
import { toHex } from '../cache/fingerprint.ts'
import type { Callers } from '../documents/callers.ts'
import { err, ok, type Result } from '../result.ts'
import { problem } from './problem.ts'

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const REMEMBERED = { maxEntries: 1_000, maxWeight: 1_000_000 }

/**
 * Says which cluster a request comes from, or answers 401 for no known credential and 403 when the path names another
 * cluster (`named`). A caller is found by the SHA-256 of its bearer token, so no secret is compared. Accepted headers
 * are remembered as long as the callers do not change, which keeps cryptography off the hot path; refused ones never.
 */
export type IdentifyCaller = (
  request: Request,
  named: string | undefined,
  waitUntil: (promise: Promise<unknown>) => void,
) => Identified | Promise<Identified>

type Identified = Result<string, Response>

export function createIdentifyCaller(
  readCallers: (waitUntil: (promise: Promise<unknown>) => void) => Callers | Promise<Callers>,
): IdentifyCaller {
  let accepted: { readonly callers: Callers; readonly headers: BoundedMap<string, string> } | undefined

  function identify(header: string, callers: Callers, named: string | undefined): Identified | Promise<Identified> {
    if (accepted?.callers !== callers) accepted = { callers, headers: createBoundedMap(REMEMBERED) }
    const { headers } = accepted
    const known = headers.get(header)
    if (known !== undefined) return checkNamed(known, named)
    return findCluster(header, callers).then((cluster) => {
      if (cluster === undefined) return err(unauthorized(explainUnknown(callers)))
      headers.set(header, cluster, header.length)
      return checkNamed(cluster, named)
    })
  }

  return (request, named, waitUntil) => {
    const header = request.headers.get('Authorization')
    if (header === null) return err(unauthorized('no caller credential: send "Authorization: Bearer <credential>"'))
    const callers = readCallers(waitUntil)
    return callers instanceof Promise
      ? callers.then((read) => identify(header, read, named))
      : identify(header, callers, named)
  }
}

function checkNamed(cluster: string, named: string | undefined): Identified {
  if (named === undefined || named === cluster) return ok(cluster)
  return err(problem('Forbidden', "this credential belongs to another cluster than the path's; check the server URL"))
}

async function findCluster(header: string, callers: Callers): Promise<string | undefined> {
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) return undefined
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return callers.clusters.get(`sha256:${toHex(digest)}`)
}

function unauthorized(message: string): Response {
  return problem('Unauthorized', message, { 'WWW-Authenticate': 'Bearer realm="keystone-edge-auth"' })
}

function explainUnknown(callers: Callers): string {
  return callers.clusters.size === 0
    ? 'no caller is known here: the document callers and the secret CALLERS are missing, empty or faulty; see /readyz'
    : 'unknown caller credential: list "sha256:<hex SHA-256 of the credential>" for the cluster in callers'
}
