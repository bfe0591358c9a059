import { isKeystoneDomainId } from '../keystone/ids.ts'
import type { Fault } from '../lib/fault.ts'

// Tenants choose the names of projects, users and groups freely, those of other tenants' ids and of Kubernetes' own
// groups included. What is here keeps a name from passing as something else.

/** How Keystone names become Kubernetes names. */
export interface Naming {
  /** `HOME_DOMAIN`: the id of the domain whose names stay as they are. */
  readonly homeDomain: string
  /** The document says `"federated": "as-local"`: federated users are named as all others. */
  readonly federatedAsLocal: boolean
}

/**
 * The text as a careless eye or a lenient comparison would read it: width and compatibility forms, case and outer
 * white space folded. Only for recognising look-alikes; never for making a name.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim()
}

/** Whether the text is, or looks like, one of the names that Kubernetes keeps for itself (`system:masters`, …). */
export function looksLikeSystemName(text: string): boolean {
  return fold(text).startsWith('system:')
}

/** Groups that Kubernetes gives meaning to are granted only where the document lists them in `system-groups` as well. */
export function findUnlisted(
  path: string,
  groups: readonly string[],
  listed: ReadonlySet<string>,
  isTemplate: (group: string) => boolean = () => false,
): Fault[] {
  return groups.flatMap((group, index) => {
    if (!looksLikeSystemName(group) || (listed.has(group) && !isTemplate(group))) return []
    const message = isTemplate(group)
      ? 'starts with system:, which no group made from Keystone may: write the whole group'
      : 'is a system: group: list it in system-groups as well if it is meant'
    return [{ path: `${path}[${index}]`, message }]
  })
}

/**
 * A Keystone name for use in Kubernetes: as it is in the home domain, `name@<domain id>` elsewhere. `undefined` when
 * there is no such form: an empty name, a home name that could be taken for a qualified one, or a domain whose id does
 * not read as an id. Two names of different domains therefore never meet.
 */
export function qualifyName(name: string, domainId: string, homeDomain: string): string | undefined {
  if (name === '') return undefined
  if (domainId !== homeDomain) return isKeystoneDomainId(domainId) ? `${name}@${domainId}` : undefined
  const folded = fold(name)
  const at = folded.lastIndexOf('@')
  return at >= 0 && isKeystoneDomainId(folded.slice(at + 1)) ? undefined : name
}

/** What stands between the name of a federated user and the id of the identity provider. */
const FEDERATED = '@idp:'

/**
 * The name of a federated user: `name@idp:<id of the identity provider>`. `undefined` for an id with `@`, which could make
 * the name pass as one of another provider or domain.
 */
export function qualifyFederatedName(name: string, identityProvider: string): string | undefined {
  return identityProvider.includes('@') || looksFederated(name) ? undefined : `${name}${FEDERATED}${identityProvider}`
}

/** Whether a name could be taken for one of a federated user. */
export function looksFederated(name: string): boolean {
  return fold(name).includes(FEDERATED)
}
