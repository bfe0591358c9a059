import type { AccessAttributes } from '../../../k8s/subject-access-review.ts'
import { toLower, trimSpace } from '../../../policy/go-text.ts'
import { parsePattern } from '../../../policy/pattern.ts'
import type { PolicyEntry } from '../../../policy/policy-document.ts'

/** What can be asked. */
export type AccessRequest = AccessAttributes['request']

/** What stands for all other values of a part that is `*` or negated. */
const NAMESPACES = ['default', 'kube-system', '']
const RESOURCES = ['pods', 'secrets', 'nodes']
const SUBRESOURCES = ['exec', 'log', 'status']
const VERBS = ['get', 'list', 'create', 'delete']

/** Requests that show what an entry grants: each value that it names, and some for each `*` and `!`. */
export function requestsOf(entry: PolicyEntry): AccessRequest[] {
  const { resource, nonresource } = entry
  return [
    ...Object.entries(entry.resource_permissions ?? {}).flatMap(([key, verbs]) => requestsOfKey(key, verbs)),
    ...Object.entries(entry.nonresource_permissions ?? {}).flatMap(([path, verbs]) => requestsOfPath(path, verbs)),
    ...(resource?.resources ?? []).flatMap((name) => {
      const [bare = '*', ...rest] = name.split('/')
      const subresources =
        rest.length === 0 ? ['', ...(name === '*' ? SUBRESOURCES : [])] : valuesOf(rest.join('/'), SUBRESOURCES)
      const group = resource?.version === '*' ? '' : (resource?.version ?? '')
      return combine({
        verbs: verbsOf(resource?.verbs ?? []),
        namespaces: valuesOf(resource?.namespace ?? '*', NAMESPACES),
        resources: valuesOf(bare, RESOURCES).map((one) => ({ name: one, group })),
        subresources,
      })
    }),
    ...(nonresource?.path === undefined ? [] : requestsOfPath(nonresource.path, nonresource.verbs ?? [])),
  ]
}

function requestsOfKey(key: string, verbs: readonly string[]): AccessRequest[] {
  const [namespace = '*', resource = '*', subresource] = key.split('/').map((part) => toLower(trimSpace(part)))
  const subresources =
    subresource === undefined ? ['', ...(resource === '*' ? SUBRESOURCES : [])] : valuesOf(subresource, SUBRESOURCES)
  return combine({
    verbs: verbsOf(verbs),
    namespaces: valuesOf(namespace, NAMESPACES),
    resources: valuesOf(resource, RESOURCES).map(splitGroup),
    subresources,
  })
}

/** The values that a part names, those that it excludes included; samples where it means more than it names. */
function valuesOf(part: string, samples: readonly string[]): readonly string[] {
  const pattern = parsePattern(part)
  if (!pattern.ok) return part === '' ? [''] : []
  const { values, negated } = pattern.value
  const named = values.filter((value) => value !== '*')
  return negated || values.includes('*') ? [...new Set([...samples, ...named])] : named
}

function verbsOf(verbs: readonly string[]): readonly string[] {
  const named = verbs.map(toLower).filter((verb) => verb !== '*' && verb !== '')
  return verbs.includes('*') ? [...new Set([...VERBS, ...named])] : named
}

function splitGroup(text: string): { readonly name: string; readonly group: string } {
  const dot = text.indexOf('.')
  return dot === -1 ? { name: text, group: '' } : { name: text.slice(0, dot), group: text.slice(dot + 1) }
}

function combine(parts: {
  readonly verbs: readonly string[]
  readonly namespaces: readonly string[]
  readonly resources: readonly { readonly name: string; readonly group: string }[]
  readonly subresources: readonly string[]
}): AccessRequest[] {
  return parts.verbs.flatMap((verb) =>
    parts.namespaces.flatMap((namespace) =>
      parts.resources.flatMap(({ name: resource, group }) =>
        parts.subresources.map((subresource) => ({
          kind: 'resource' as const,
          verb,
          group,
          resource,
          subresource,
          namespace,
          name: '',
        })),
      ),
    ),
  )
}

function requestsOfPath(path: string, verbs: readonly string[]): AccessRequest[] {
  return verbsOf(verbs).map((verb) => ({
    kind: 'nonresource',
    verb,
    path: path === '*' ? '/metrics' : path.replace(/\*+$/, ''),
  }))
}

/** A request in words: `get deployments.apps/scale in default`. */
export function describeRequest(request: AccessRequest): string {
  if (request.kind === 'nonresource') return `${request.verb} ${request.path}`
  const { verb, resource, group, subresource, namespace } = request
  const what = `${verb} ${resource}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`
  return namespace === '' ? `${what} without a namespace` : `${what} in ${namespace}`
}

const RBAC = new Set(['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'])
const INTO_PODS = new Set(['exec', 'attach', 'portforward', 'proxy', 'token', 'ephemeralcontainers'])

/** How much harm a permission can do; 100 is the whole cluster. */
export function harmOfRequest(request: AccessRequest): number {
  if (request.kind === 'nonresource') return 5
  const { verb, resource, subresource, namespace } = request
  const reads = ['get', 'list', 'watch'].includes(verb)
  const base = ['impersonate', 'escalate', 'bind'].includes(verb)
    ? 95
    : INTO_PODS.has(subresource)
      ? 80
      : resource === 'secrets'
        ? 75
        : reads
          ? 10
          : RBAC.has(resource)
            ? 90
            : resource === 'pods'
              ? 70
              : 50
  return base + (namespace === 'kube-system' ? 5 : namespace === '' ? 3 : 0)
}
