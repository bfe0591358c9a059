/** What Cloudflare says about the certificate that a caller presented. */
export type Certificate =
  | { readonly state: 'verified' | 'unverified' | 'revoked'; readonly credential: string }
  | { readonly state: 'malformed' }

const FINGERPRINT = /^[0-9a-f]{64}$/i

/**
 * Reads `request.cf.tlsClientAuth`, of which all values are strings; `undefined` when no certificate was presented
 * (Cloudflare then puts a placeholder there, other runtimes nothing). Only what is exactly as documented is verified:
 * presented, `SUCCESS`, not revoked, with a fingerprint. `credential` is what `callers` would list it as.
 */
export function decodeCertificate(stated: unknown): Certificate | undefined {
  const read = (field: string): unknown => Reflect.get(Object(stated), field)
  if (read('certPresented') !== '1') return undefined
  const [fingerprint, verified, revoked] = [read('certFingerprintSHA256'), read('certVerified'), read('certRevoked')]
  if (typeof fingerprint !== 'string' || !FINGERPRINT.test(fingerprint) || typeof verified !== 'string')
    return MALFORMED
  const credential = `cert:${fingerprint.toLowerCase()}`
  if (revoked === '1') return { state: 'revoked', credential }
  if (revoked !== '0') return MALFORMED
  return { state: verified === 'SUCCESS' ? 'verified' : 'unverified', credential }
}

const MALFORMED: Certificate = { state: 'malformed' }
