import type { ResourceRequest } from '../k8s/subject-access-review.ts'
import type { Warning } from '../lib/fault.ts'
import type { Policy } from './decide.ts'
import { toLower, trimSpace } from './go-text.ts'
import type { PolicyEntry } from './policy-document.ts'
import type { Principal } from './principal.ts'
import type { Rule } from './rule.ts'

/**
 * What is valid in a document that `parsePolicy` accepted as `policy`, and dangerous or without effect, beyond what `parsePolicy` reports: grants to every Keystone
 * user, grants that reach `kube-system`, and permissions that another entry grants already.
 */
export function findPolicyWarnings(accepted: unknown, policy: Policy): Warning[] {
  return [...findGrantsToEveryone(policy.rules), ...findKubeSystem(policy.rules), ...findRepeated(accepted)]
}

/** A Keystone user whom no selector can mean. */
const SOMEBODY: Principal = {
  user: '\0',
  uid: '',
  groups: new Set(),
  roles: new Set(),
  hasProject: true,
  projectIds: new Set(['\0']),
  projectNames: new Set(['\0']),
  qualifiedProject: undefined,
}

function findGrantsToEveryone(rules: readonly Rule[]): Warning[] {
  const message = 'applies to every Keystone user: neither users nor match restricts it'
  const entries = rules.filter(({ who }) => who.every(({ holds }) => holds(SOMEBODY))).map(({ path }) => entryOf(path))
  return [...new Set(entries)].map((path) => ({ path, message }))
}

function entryOf(path: string): string {
  return /^(?:policies)?\[\d+\]/.exec(path)?.[0] ?? path
}

/** With any of these in kube-system, a user can take over the cluster. */
const TAKEOVERS: readonly (readonly [verb: string, resource: string, subresource: string, group: string])[] = [
  ['create', 'pods', '', ''],
  ['create', 'pods', 'exec', ''],
  ['get', 'pods', 'exec', ''],
  ['get', 'secrets', '', ''],
  ['list', 'secrets', '', ''],
  ['create', 'serviceaccounts', 'token', ''],
  ...['create', 'update', 'patch'].flatMap((verb) =>
    ['deployments', 'daemonsets', 'statefulsets'].map((resource) => [verb, resource, '', 'apps'] as const),
  ),
  ['update', 'configmaps', '', ''],
]

function findKubeSystem(rules: readonly Rule[]): Warning[] {
  return rules.flatMap((rule) => {
    if (rule.kind !== 'resource') return []
    const found = TAKEOVERS.find(([verb, resource, subresource, group]) => {
      const request: ResourceRequest = {
        kind: 'resource',
        verb,
        group,
        resource,
        subresource,
        namespace: 'kube-system',
        name: '',
      }
      return rule.what.every(({ holds }) => holds(request))
    })
    if (found === undefined) return []
    const [verb, resource, subresource] = found
    const what = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`
    return [{ path: rule.path, message: `reaches kube-system: ${what} there is enough to take over the cluster` }]
  })
}

interface Granted {
  readonly path: string
  readonly verbs: ReadonlySet<string>
}

/** Permissions whose verbs an earlier entry for the same users grants under the same key, or under one for everything. */
function findRepeated(accepted: unknown): Warning[] {
  const { entries, prefix } = entriesOf(accepted)
  const granted = new Map<string, Granted[]>()
  return entries.flatMap((entry, index) => {
    const users = canonical(entry.users)
    return permissionsOf(entry, `${prefix}[${index}]`).flatMap(({ path, keys, verbs }) => {
      const earlier = keys.flatMap((key) => granted.get(`${users} ${key}`) ?? [])
      const covers = earlier.find((one) => one.verbs.has('*') || [...verbs].every((verb) => one.verbs.has(verb)))
      const own = `${users} ${keys[0]}`
      granted.set(own, [...(granted.get(own) ?? []), { path, verbs }])
      return covers === undefined || verbs.size === 0
        ? []
        : [{ path, message: `adds nothing: ${covers.path} grants the same to these users already` }]
    })
  })
}

/** No second validation: it costs as much as the first. */
function entriesOf(accepted: unknown): { readonly entries: readonly PolicyEntry[]; readonly prefix: string } {
  if (Array.isArray(accepted)) return { entries: accepted, prefix: '' }
  const { policies = [] } = accepted as { readonly policies?: readonly PolicyEntry[] }
  return { entries: policies, prefix: 'policies' }
}

interface Permission {
  readonly path: string
  /** Its own key, then keys that grant at least as much. */
  readonly keys: readonly string[]
  readonly verbs: ReadonlySet<string>
}

/** Permissions of version 2: version 1 has one resource an entry, whose parts are rarely written twice. */
function permissionsOf(entry: PolicyEntry, path: string): Permission[] {
  const resources = Object.entries(entry.resource_permissions ?? {}).map(([key, verbs]) => {
    const own = key.split('/').map((part) => toLower(trimSpace(part)))
    const keys = [...new Set([own.join('/'), '*/*'])]
    return { path: `${path}.resource_permissions[${JSON.stringify(key)}]`, keys, verbs: new Set(verbs.map(toLower)) }
  })
  const paths = Object.entries(entry.nonresource_permissions ?? {}).map(([key, verbs]) => ({
    path: `${path}.nonresource_permissions[${JSON.stringify(key)}]`,
    keys: [key],
    verbs: new Set(verbs),
  }))
  return [...resources, ...paths]
}

/** Equal for `users` that mean the same whatever the order. */
function canonical(users: PolicyEntry['users']): string {
  if (users === undefined) return ''
  const sorted = (list: readonly unknown[] = []): string[] => list.map((one) => JSON.stringify(one)).sort()
  return JSON.stringify([sorted(users.roles), users.projects === undefined ? null : sorted(users.projects)])
}
