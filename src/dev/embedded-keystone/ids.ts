import { base64url } from 'jose'

/** A new id as Keystone makes them: 32 lower-case hex digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}

/** A new audit id: 16 random bytes in base64url, 22 characters. */
export function newAuditId(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(16)))
}

/** A new secret of an application credential: 64 random bytes in base64url. */
export function newSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(64)))
}
