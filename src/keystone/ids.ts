/** Whether this is how Keystone writes an id: 32 hex digits (its own), or 64 (users and groups of an LDAP domain). */
export function isKeystoneId(text: string): boolean {
  return /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/.test(text)
}

/** Whether this is how Keystone writes a domain's id: any id, or `default`. */
export function isKeystoneDomainId(text: string): boolean {
  return text === 'default' || isKeystoneId(text)
}
