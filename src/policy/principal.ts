import { EXTRA, IDENTITY_PREFIX } from '../k8s/keystone-extra.ts'
import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import { isKeystoneId } from '../keystone/ids.ts'

/** The user of a request, as policies see it: name, uid and groups, and Keystone's facts from `spec.extra`. */
export interface Principal {
  readonly user: string
  readonly uid: string
  readonly groups: ReadonlySet<string>
  readonly roles: ReadonlySet<string>
  readonly hasProject: boolean
  readonly projectIds: ReadonlySet<string>
  /** Names of the project, if its domain is the home domain. A name that reads as an id is left out. */
  readonly projectNames: ReadonlySet<string>
  /** The project's name with the id of its domain; `undefined` when either is unknown. */
  readonly qualifiedProject: { readonly name: string; readonly domain: string } | undefined
}

/** Whether this webhook, or k8s-keystone-auth, authenticated the user of the review. */
export function isKeystoneUser({ extra }: AccessAttributes): boolean {
  return Object.keys(extra).some((key) => key.startsWith(IDENTITY_PREFIX))
}

/**
 * The principal of a review, or `undefined` for a user without k8s-keystone-auth's `extra` keys (service accounts, nodes,
 * client certificates, impersonated users), about whom policies have no opinion.
 */
export function toPrincipal(attributes: AccessAttributes, homeDomain: string): Principal | undefined {
  if (!isKeystoneUser(attributes)) return undefined
  const { user, uid, groups, extra } = attributes
  const ids = extra[EXTRA.projectId] ?? []
  const names = extra[EXTRA.projectName] ?? []
  // k8s-keystone-auth sends no domain of the project: without the key the project counts as one of the home domain.
  // With the key and no value, or several values, the domain is unknown.
  const domains = extra[EXTRA.projectDomainId] ?? [homeDomain]
  const isHome = domains.length === 1 && domains[0] === homeDomain
  return {
    user,
    uid,
    groups: new Set(groups),
    roles: new Set(extra[EXTRA.roles]),
    hasProject: [...ids, ...names].some((text) => text !== ''),
    projectIds: new Set(ids),
    qualifiedProject: qualify(names, domains),
    projectNames: new Set(isHome ? names.filter((name) => !isKeystoneId(name)) : []),
  }
}

function qualify(
  [name]: readonly string[],
  [domain, ...others]: readonly string[],
): { readonly name: string; readonly domain: string } | undefined {
  if (others.length > 0) return undefined
  return name === undefined || domain === undefined || isKeystoneId(name) ? undefined : { name, domain }
}
