/** What a sealed value, and the fingerprint that names it, are for. */
export type SealPurpose = 'identity' | 'document'

/** Names tokens and documents without revealing them: one fingerprint per cache key, the newest key's first. */
export type Fingerprinter = (purpose: SealPurpose, text: string) => Promise<Fingerprints>
export type Fingerprints = readonly [string, ...string[]]

/**
 * HMAC-SHA-256 over version, purpose, Keystone and text, as 64 hex digits. Without the key nobody can tell which
 * token or document a name in KV stands for, and the same token of another Keystone has another name.
 */
export function createFingerprinter(cacheKeys: readonly Uint8Array[], keystoneUrl: string): Fingerprinter {
  const encoder = new TextEncoder()
  const imported = Promise.all(
    cacheKeys.map((key) => crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])),
  )
  return async (purpose, text) => {
    const message = encoder.encode(`keystone-edge-auth/1/fingerprint/${purpose}\n${keystoneUrl}\n${text}`)
    const [newest, ...older] = await Promise.all(
      (await imported).map(async (key) => toHex(await crypto.subtle.sign('HMAC', key, message))),
    )
    if (newest === undefined) throw new Error('no cache key')
    return [newest, ...older]
  }
}

/** The SHA-256 of a text, as lower-case hex digits. */
export async function toSha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
