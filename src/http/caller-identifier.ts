import { toSha256 } from '../cache/fingerprint.ts'
import type { Callers } from '../documents/callers.ts'
import type { CallersDocument } from '../documents/callers-document.ts'
import { BoundedMap } from '../lib/bounded-map.ts'
import type { ExecutionCtx } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import type { CallerRefusal } from '../telemetry/caller-audit.ts'
import { type Certificate, decodeCertificate } from './certificate.ts'

/** The cluster that a request comes from, or why the caller is refused. */
type IdentifiedCaller = Result<string, CallerRefusal>

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const REMEMBERED = { maxEntries: 1_000, maxWeight: 1_000_000 }

/**
 * Says which cluster a request comes from, by its bearer token; without a known one by the client certificate, if
 * Cloudflare verified it and it is not revoked. Tokens and certificates are looked up by their SHA-256, so that no secret
 * is compared. Accepted headers are remembered until the callers change, which keeps cryptography off the hot path.
 */
export class CallerIdentifier {
  readonly #document: Pick<CallersDocument, 'refresh' | 'inForce'>
  #accepted = new BoundedMap<string, IdentifiedCaller>(REMEMBERED)
  /** The callers for which `#accepted` holds. */
  #callers: Callers | undefined

  constructor(document: Pick<CallersDocument, 'refresh' | 'inForce'>) {
    this.#document = document
  }

  /** See `LiveDocument.refresh`. */
  refresh(ctx: ExecutionCtx): Promise<void> | undefined {
    return this.#document.refresh(ctx)
  }

  /** Whether any caller can be identified at all. */
  get hasCallers(): boolean {
    return this.#document.inForce().clusters.size > 0
  }

  /** The caller of an `Authorization` that was accepted before; `undefined`: call `identify`. */
  peek(request: Request): IdentifiedCaller | undefined {
    const callers = this.#document.inForce()
    if (this.#callers !== callers) {
      this.#callers = callers
      this.#accepted = new BoundedMap(REMEMBERED)
    }
    const header = request.headers.get('Authorization')
    return header === null ? undefined : this.#accepted.get(header)
  }

  async identify(request: Request): Promise<IdentifiedCaller> {
    const callers = this.#document.inForce()
    const header = request.headers.get('Authorization')
    const cluster = header === null ? undefined : await findCluster(header, callers)
    if (header === null || cluster === undefined) {
      const certificate = decodeCertificate(request.cf?.tlsClientAuth)
      if (header === null && certificate === undefined) return err({ reason: 'no_credential' })
      return judgeCertificate(certificate, callers)
    }
    const accepted = ok(cluster)
    if (this.#callers === callers) this.#accepted.set(header, accepted, header.length)
    return accepted
  }
}

/** Refuses a caller of another cluster than the path names (`named`), if the path names one. */
export function checkNamed(caller: IdentifiedCaller, named: string | undefined): IdentifiedCaller {
  if (!caller.ok || named === undefined || named === caller.value) return caller
  return err({ reason: 'wrong_cluster', cluster: caller.value })
}

async function findCluster(header: string, callers: Callers): Promise<string | undefined> {
  const token = BEARER.exec(header)?.[1]
  return token === undefined ? undefined : callers.clusters.get(`sha256:${await toSha256(token)}`)
}

/** The cluster of a certificate, where no bearer token named one. */
function judgeCertificate(certificate: Certificate | undefined, callers: Callers): IdentifiedCaller {
  if (callers.clusters.size === 0) return err({ reason: 'no_callers' })
  if (certificate === undefined) return err({ reason: 'unknown_credential' })
  if (certificate.state === 'malformed') return err({ reason: 'certificate_malformed' })
  const cluster = callers.clusters.get(certificate.credential)
  if (certificate.state !== 'verified') return err({ reason: `certificate_${certificate.state}`, cluster })
  return cluster === undefined ? err({ reason: 'unlisted_certificate' }) : ok(cluster)
}
