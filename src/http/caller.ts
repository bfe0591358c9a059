import { toHex } from '../cache/fingerprint.ts'
import type { Callers } from '../documents/callers.ts'
import { type BoundedMap, createBoundedMap } from '../lib/bounded-map.ts'
import { err, ok, type Result } from '../lib/result.ts'
import type { CallerRefusal } from '../telemetry/caller-audit.ts'
import { type Certificate, decodeCertificate } from './certificate.ts'

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const REMEMBERED = { maxEntries: 1_000, maxWeight: 1_000_000 }

/**
 * Says which cluster a request comes from, or why it is from none, or from another one than the path names (`named`).
 * A known bearer token decides by itself; without one, a listed client certificate does that Cloudflare verified and
 * that is not revoked. Tokens and certificates are found by their SHA-256, so no secret is compared. Accepted headers
 * are remembered as long as the callers do not change, which keeps cryptography off the hot path; refused ones never.
 */
export type IdentifyCaller = (
  request: Request,
  named: string | undefined,
  waitUntil: (promise: Promise<unknown>) => void,
) => Identified | Promise<Identified>

type Identified = Result<string, CallerRefusal>

export function createIdentifyCaller(
  readCallers: (waitUntil: (promise: Promise<unknown>) => void) => Callers | Promise<Callers>,
): IdentifyCaller {
  let accepted: { readonly callers: Callers; readonly headers: BoundedMap<string, string> } | undefined

  function identify(
    header: string,
    callers: Callers,
    named: string | undefined,
    request: Request,
  ): Identified | Promise<Identified> {
    if (accepted?.callers !== callers) accepted = { callers, headers: createBoundedMap(REMEMBERED) }
    const { headers } = accepted
    const known = headers.get(header)
    if (known !== undefined) return checkNamed(known, named)
    return findCluster(header, callers).then((cluster) => {
      if (cluster === undefined) return judgeUnknown(readCertificate(request), callers, named)
      headers.set(header, cluster, header.length)
      return checkNamed(cluster, named)
    })
  }

  return (request, named, waitUntil) => {
    const header = request.headers.get('Authorization')
    // Only now, and behind a token that is not known: to read `request.cf` costs more than to find a known header.
    const certificate = header === null ? readCertificate(request) : undefined
    if (header === null && certificate === undefined) return err({ reason: 'no_credential' })
    const judge = (callers: Callers) =>
      header === null ? judgeUnknown(certificate, callers, named) : identify(header, callers, named, request)
    const callers = readCallers(waitUntil)
    return callers instanceof Promise ? callers.then(judge) : judge(callers)
  }
}

function checkNamed(cluster: string, named: string | undefined): Identified {
  return named === undefined || named === cluster ? ok(cluster) : err({ reason: 'wrong_cluster', cluster })
}

async function findCluster(header: string, callers: Callers): Promise<string | undefined> {
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) return undefined
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return callers.clusters.get(`sha256:${toHex(digest)}`)
}

function readCertificate(request: Request): Certificate | undefined {
  return decodeCertificate(request.cf?.tlsClientAuth)
}

/** The cluster of a certificate, when no bearer token named one. */
function judgeUnknown(certificate: Certificate | undefined, callers: Callers, named: string | undefined): Identified {
  if (callers.clusters.size === 0) return err({ reason: 'no_callers' })
  if (certificate === undefined) return err({ reason: 'unknown_credential' })
  if (certificate.state === 'malformed') return err({ reason: 'certificate_malformed' })
  const cluster = callers.clusters.get(certificate.credential)
  if (certificate.state !== 'verified') return err({ reason: `certificate_${certificate.state}`, cluster })
  return cluster === undefined ? err({ reason: 'unlisted_certificate' }) : checkNamed(cluster, named)
}
