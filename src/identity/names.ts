// Tenants choose the names of projects, users and groups freely, those of other tenants' ids and of Kubernetes' own
// groups included. What is here keeps a name from passing as something else.

/** Whether this is how Keystone writes an id: 32 hex digits (its own), or 64 (users and groups of an LDAP domain). */
export function readsAsId(text: string): boolean {
  return /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/.test(text)
}

/** Whether this is how Keystone writes a domain's id: any id, or `default`. */
export function readsAsDomainId(text: string): boolean {
  return text === 'default' || readsAsId(text)
}

/**
 * The text as a careless eye or a lenient comparison would read it: width and compatibility forms, case and outer
 * white space folded. Only for recognising look-alikes; never for making a name.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim()
}

/** Whether the text is, or looks like, one of the names that Kubernetes keeps for itself (`system:masters`, …). */
export function readsAsSystemName(text: string): boolean {
  return fold(text).startsWith('system:')
}

/**
 * A Keystone name for use in Kubernetes: as it is in the home domain, `name@<domain id>` elsewhere. `undefined` when
 * there is no such form: an empty name, a home name that could be taken for a qualified one, or a domain whose id does
 * not read as an id. Two names of different domains therefore never meet.
 */
export function qualifyName(name: string, domainId: string, homeDomain: string): string | undefined {
  if (name === '') return undefined
  if (domainId !== homeDomain) return readsAsDomainId(domainId) ? `${name}@${domainId}` : undefined
  const folded = fold(name)
  const at = folded.lastIndexOf('@')
  return at >= 0 && readsAsDomainId(folded.slice(at + 1)) ? undefined : name
}
