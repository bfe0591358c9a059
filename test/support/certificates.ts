export const FINGERPRINT = 'c0ffee'.padEnd(64, '0123456789abcdef')
export const OTHER_FINGERPRINT = 'decade'.padEnd(64, '0123456789abcdef')

/** `request.cf.tlsClientAuth` of a certificate that Cloudflare verified, as documented. */
export const VERIFIED = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certIssuerDN: 'CN=Managed CA,C=US',
  certSubjectDN: 'CN=kube-apiserver,O=prod-1',
  certIssuerDNRFC2253: 'CN=Managed CA,C=US',
  certSubjectDNRFC2253: 'CN=kube-apiserver,O=prod-1',
  certIssuerDNLegacy: '/C=US/CN=Managed CA',
  certSubjectDNLegacy: '/O=prod-1/CN=kube-apiserver',
  certSerial: '6C2A1F',
  certIssuerSerial: '2F3B',
  certSKI: 'a1b2',
  certIssuerSKI: 'c3d4',
  certFingerprintSHA1: 'b'.repeat(40),
  certFingerprintSHA256: FINGERPRINT,
  certNotBefore: 'Nov  1 00:00:00 2026 GMT',
  certNotAfter: 'Nov  1 00:00:00 2027 GMT',
} as const

/** What is there when no certificate was presented. */
export const PLACEHOLDER = {
  ...Object.fromEntries(Object.keys(VERIFIED).map((field) => [field, ''])),
  certPresented: '0',
  certVerified: 'NONE',
  certRevoked: '0',
}

/** What a request is sent with, over the connection of that certificate. */
export function presenting(tlsClientAuth: unknown): RequestInit {
  return { cf: { tlsClientAuth } as RequestInitCfProperties }
}
