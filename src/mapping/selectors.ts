import { isKeystoneDomainId, isKeystoneId } from '../keystone/ids.ts'

/** How a document names a user, project or group: an id, a name in the home domain, or a name in another one. */
export type Selector = string | { readonly name: string; readonly domain: string }

/** Something of Keystone's that has an id and, in a domain, a name. */
interface Entity {
  readonly id: string
  readonly name?: string | undefined
  readonly domainId?: string | undefined
}

/**
 * Matches users, projects or groups. A selector that reads as an id is compared with ids only, any other with names
 * only, because a tenant can choose a name that equals another tenant's id.
 */
export function createEntityMatcher(selectors: readonly Selector[], homeDomain: string): (entity: Entity) => boolean {
  const ids = new Set<string>()
  const names = new Set<string>()
  for (const selector of selectors) {
    if (typeof selector !== 'string') names.add(qualify(selector.name, selector.domain))
    else if (isKeystoneId(selector)) ids.add(selector)
    else names.add(qualify(selector, homeDomain))
  }
  return ({ id, name, domainId }) => {
    if (ids.has(id)) return true
    return name !== undefined && domainId !== undefined && !isKeystoneId(name) && names.has(qualify(name, domainId))
  }
}

/** Matches domains, by id (`default` is one) or by name. */
export function createDomainMatcher(selectors: readonly string[]): (domain: { id: string; name: string }) => boolean {
  const wanted = new Set(selectors)
  return ({ id, name }) => (isKeystoneDomainId(id) && wanted.has(id)) || (!isKeystoneDomainId(name) && wanted.has(name))
}

/** Matches roles, by id or by name in any domain. */
export function createRoleMatcher(selectors: readonly string[]): (role: { id: string; name: string }) => boolean {
  const wanted = new Set(selectors)
  return ({ id, name }) => (isKeystoneId(id) && wanted.has(id)) || (!isKeystoneId(name) && wanted.has(name))
}

// A domain's id has no NUL, so two pairs of domain and name never give the same text.
function qualify(name: string, domainId: string): string {
  return `${domainId}\0${name}`
}
