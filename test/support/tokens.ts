/** A token of Keystone's fernet shape with random content: 183 characters, as project-scoped ones have. */
export function fernetShaped(issuedAtMs = Date.UTC(2026, 10, 22, 13, 0, 0)): string {
  const bytes = crypto.getRandomValues(new Uint8Array(57 + 16 * 5))
  new DataView(bytes.buffer).setBigUint64(1, BigInt(Math.floor(issuedAtMs / 1000)))
  bytes[0] = 0x80
  return base64url(bytes)
}

/** A compact JWS of Keystone's shape, or with other claims; its signature is random. */
export function jwsShaped(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = { alg: 'ES256', typ: 'JWT' },
  signatureBytes = 64,
): string {
  const payload = {
    sub: 'a'.repeat(32),
    iat: 1_763_816_400,
    exp: 1_763_820_000,
    openstack_methods: ['password'],
    ...claims,
  }
  const encode = (part: unknown): string => base64url(new TextEncoder().encode(JSON.stringify(part)))
  return `${encode(header)}.${encode(payload)}.${base64url(crypto.getRandomValues(new Uint8Array(signatureBytes)))}`
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
