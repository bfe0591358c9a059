import { base64url } from 'jose'
import type { TokenPayload } from './token-payload.ts'

/**
 * The plaintext inside a fernet token: fields of one tag byte, one length byte and the value. Ids of 32 hex digits take
 * 16 bytes, as they do in Keystone's own encoding, so that tokens come out as long as real ones.
 */
const TAG = {
  user: 1,
  methods: 2,
  expiry: 3,
  audit: 4,
  project: 5,
  domain: 6,
  system: 7,
  trust: 8,
  appCred: 9,
  identityProvider: 10,
  protocol: 11,
  group: 12,
} as const

/** Set on the tag of an id that is stored as bytes instead of text. */
const HEX = 0x80

/** Position is the bit in the field `methods`. */
const METHODS = ['password', 'token', 'application_credential', 'mapped', 'openid']

/** Everything but the issue time, which a fernet token carries outside. */
export function encodePayload(payload: TokenPayload): Uint8Array<ArrayBuffer> {
  const out: number[] = []
  putId(out, TAG.user, payload.userId)
  put(out, TAG.methods, [payload.methods.reduce((bits, method) => bits | (1 << METHODS.indexOf(method)), 0)])
  const expiry = new DataView(new ArrayBuffer(8))
  expiry.setFloat64(0, payload.expiresAt)
  put(out, TAG.expiry, new Uint8Array(expiry.buffer))
  for (const auditId of payload.auditIds) put(out, TAG.audit, base64url.decode(auditId))
  if (payload.projectId !== undefined) putId(out, TAG.project, payload.projectId)
  if (payload.domainId !== undefined) putId(out, TAG.domain, payload.domainId)
  if (payload.system !== undefined) putId(out, TAG.system, payload.system)
  if (payload.trustId !== undefined) putId(out, TAG.trust, payload.trustId)
  if (payload.applicationCredentialId !== undefined) putId(out, TAG.appCred, payload.applicationCredentialId)
  if (payload.federation !== undefined) {
    putId(out, TAG.identityProvider, payload.federation.identityProvider)
    putId(out, TAG.protocol, payload.federation.protocol)
    for (const groupId of payload.federation.groupIds) putId(out, TAG.group, groupId)
  }
  return new Uint8Array(out)
}

/** The reverse of `encodePayload`. The bytes were authenticated, so they are ours. */
export function decodePayload(bytes: Uint8Array): Omit<TokenPayload, 'issuedAt'> {
  const payload: Omit<TokenPayload, 'issuedAt'> = { userId: '', methods: [], auditIds: [], expiresAt: 0 }
  for (let at = 0; at + 1 < bytes.length; ) {
    const tag = bytes[at] ?? 0
    const end = at + 2 + (bytes[at + 1] ?? 0)
    take(payload, tag, bytes.slice(at + 2, end))
    at = end
  }
  return payload
}

function take(payload: Omit<TokenPayload, 'issuedAt'>, tag: number, value: Uint8Array<ArrayBuffer>): void {
  const id = () => ((tag & HEX) === 0 ? new TextDecoder().decode(value) : toHex(value))
  switch (tag & ~HEX) {
    case TAG.user:
      payload.userId = id()
      break
    case TAG.methods:
      payload.methods = METHODS.filter((_, bit) => ((value[0] ?? 0) & (1 << bit)) !== 0)
      break
    case TAG.expiry:
      payload.expiresAt = new DataView(value.buffer).getFloat64(0)
      break
    case TAG.audit:
      payload.auditIds.push(base64url.encode(value))
      break
    case TAG.project:
      payload.projectId = id()
      break
    case TAG.domain:
      payload.domainId = id()
      break
    case TAG.system:
      payload.system = 'all'
      break
    case TAG.trust:
      payload.trustId = id()
      break
    case TAG.appCred:
      payload.applicationCredentialId = id()
      break
    case TAG.identityProvider:
      payload.federation = { identityProvider: id(), protocol: '', groupIds: [] }
      break
    case TAG.protocol:
      if (payload.federation !== undefined) payload.federation.protocol = id()
      break
    case TAG.group:
      payload.federation?.groupIds.push(id())
      break
  }
}

function put(out: number[], tag: number, value: ArrayLike<number> & Iterable<number>): void {
  out.push(tag, value.length, ...value)
}

function putId(out: number[], tag: number, id: string): void {
  if (/^[0-9a-f]{32}$/.test(id)) put(out, tag | HEX, fromHex(id))
  else put(out, tag, new TextEncoder().encode(id))
}

function fromHex(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
