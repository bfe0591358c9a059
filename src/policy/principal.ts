import type { AccessAttributes } from '../k8s/subject-access-review.ts'
import { isKeystoneId } from '../keystone/ids.ts'

const IDENTITY = 'alpha.kubernetes.io/identity/'

/** Who asks, as far as policies can tell: the user, and Keystone's facts in `spec.extra`. */
export interface Principal {
  readonly user: string
  readonly uid: string
  readonly groups: ReadonlySet<string>
  readonly roles: ReadonlySet<string>
  readonly hasProject: boolean
  readonly projectIds: ReadonlySet<string>
  /** Names of the project in the home domain; names that read as ids are none. */
  readonly projectNames: ReadonlySet<string>
  /** The project's name with its domain, wherever that is; absent when either is not known. */
  readonly qualifiedProject: { readonly name: string; readonly domain: string } | undefined
}

/** Whether the review is about a user whom this webhook, or k8s-keystone-auth, has vouched for. */
export function isKeystoneUser({ extra }: AccessAttributes): boolean {
  return Object.keys(extra).some((key) => key.startsWith(IDENTITY))
}

/**
 * The principal of a review, or `undefined` for one without Keystone's own `extra` keys (service accounts, nodes,
 * certificates, impersonated users): policies have no opinion about those.
 */
export function toPrincipal(attributes: AccessAttributes, homeDomain: string): Principal | undefined {
  if (!isKeystoneUser(attributes)) return undefined
  const { user, uid, groups, extra } = attributes
  const ids = extra[`${IDENTITY}project/id`] ?? []
  const names = extra[`${IDENTITY}project/name`] ?? []
  // k8s-keystone-auth's users carry no domain of the project: theirs counts as one of the home domain. A key without
  // a value, or with several, says that the domain is not known.
  const domains = extra['keystone.openstack.org/project-domain-id'] ?? [homeDomain]
  const isHome = domains.length === 1 && domains[0] === homeDomain
  return {
    user,
    uid,
    groups: new Set(groups),
    roles: new Set(extra[`${IDENTITY}roles`]),
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
