import type { HTTPException } from 'hono/http-exception'
import { isClusterName } from '../documents/callers.ts'
import type { AuditCaller, CallerOrigin, CallerReason, CallerRefusal } from '../telemetry/caller-audit.ts'
import { problem } from './problem.ts'

/** The problem 401 or 403 for a caller that is refused. Writes its audit line. */
export function refuseCaller(
  refusal: CallerRefusal,
  request: Request,
  named: string | undefined,
  audit: AuditCaller,
): HTTPException {
  audit(refusal, () => originOf(request, named))
  const { reason } = refusal
  return reason === 'wrong_cluster'
    ? problem('Forbidden', MESSAGES[reason])
    : problem('Unauthorized', MESSAGES[reason], { 'WWW-Authenticate': 'Bearer realm="keystone-edge-auth"' })
}

const NOT_COUNTED = 'no known bearer credential; the client certificate '

/** What to do about it. The same for everyone, so that it repeats nothing of the request. */
const MESSAGES: Readonly<Record<CallerReason, string>> = {
  no_credential: 'no caller credential: send "Authorization: Bearer <credential>", or a client certificate',
  unknown_credential:
    'unknown caller credential: list "sha256:<hex SHA-256 of the credential>" for the cluster in callers',
  no_callers: 'no caller is known here: callers and CALLERS are missing, empty or faulty; see /readyz',
  unlisted_certificate: `${NOT_COUNTED}is not listed: put "cert:<its hex SHA-256>" into callers`,
  certificate_unverified: `${NOT_COUNTED}is expired, or of another CA`,
  certificate_revoked: `${NOT_COUNTED}is revoked`,
  certificate_malformed: `${NOT_COUNTED}is described incompletely`,
  wrong_cluster: "this credential belongs to another cluster than the path's; check the server URL",
}

/** Where a refused request came from, as far as Cloudflare says so or it cannot be part of a credential. */
function originOf(request: Request, named = ''): CallerOrigin {
  return {
    pathCluster: isClusterName(named) && !couldBeSecret(named, request) ? named : undefined,
    address: addressOf(request),
    ray: rayOf(request),
  }
}

/** A credential, a digest or a random token that was put where the cluster's name belongs. */
function couldBeSecret(named: string, request: Request): boolean {
  return /[0-9a-f]{16}|[0-9a-z]{24}/.test(named) || request.headers.get('Authorization')?.includes(named) === true
}

// RFC 4291, section 2.2: at most 45 characters.
const ADDRESS = /^(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f.]{0,44}:[\da-f:.]{1,44})$/i

function addressOf(request: Request): string | undefined {
  const address = request.headers.get('CF-Connecting-IP') ?? ''
  const host = address.includes(':') ? `[${address}]` : address
  return ADDRESS.test(address) && URL.canParse(`http://${host}/`) ? address : undefined
}

/** Cloudflare's id of the request; anything else in that header comes from the caller and is dropped. */
export function rayOf(request: Request): string | undefined {
  const ray = request.headers.get('CF-Ray')
  return ray !== null && /^[0-9a-f]{16}(?:-[A-Z]{3})?$/.test(ray) ? ray : undefined
}
