import { toLower, trimSpace } from '../../../policy/go-text.ts'
import { parsePattern, patternTakes } from '../../../policy/pattern.ts'

/** Subresources of Kubernetes' own resources, those first by which a user gains most. */
const SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'exec',
    'attach',
    'portforward',
    'proxy',
    'ephemeralcontainers',
    'log',
    'eviction',
    'binding',
    'resize',
    'status',
  ],
  nodes: ['proxy', 'status'],
  services: ['proxy', 'status'],
  serviceaccounts: ['token'],
  certificatesigningrequests: ['approval', 'status'],
  namespaces: ['finalize', 'status'],
  deployments: ['scale', 'status'],
  replicasets: ['scale', 'status'],
  statefulsets: ['scale', 'status'],
  replicationcontrollers: ['scale', 'status'],
  ...Object.fromEntries(
    [
      'customresourcedefinitions',
      'cronjobs',
      'daemonsets',
      'horizontalpodautoscalers',
      'ingresses',
      'jobs',
      'persistentvolumeclaims',
      'persistentvolumes',
      'poddisruptionbudgets',
      'resourcequotas',
      'volumeattachments',
    ].map((resource) => [resource, ['status']]),
  ),
}
/** Resources without subresources. Any other one is a custom resource, which can have two. */
const PLAIN = new Set(
  'configmaps secrets endpoints endpointslices events limitranges podtemplates componentstatuses bindings roles rolebindings clusterroles clusterrolebindings storageclasses networkpolicies leases priorityclasses controllerrevisions podsecuritypolicies podpresets'.split(
    ' ',
  ),
)

/**
 * The subresources that k8s-keystone-auth grants by a permission key of version 2 without being asked, such as
 * `pods/exec`. None for a key whose resource part is a bare `*`, which covers subresources here too, and for a key that
 * cannot be used.
 */
export function accidentalSubresources(key: string): readonly string[] {
  const pattern = parsePattern(toLower(trimSpace(key.split('/')[1] ?? '')))
  if (!coversSubresources(key) || !pattern.ok) return []
  const { value } = pattern
  const known = Object.entries(SUBRESOURCES).flatMap(([name, all]) =>
    patternTakes(value, (one) => one === name) ? all.map((subresource) => `${name}/${subresource}`) : [],
  )
  const custom = value.negated
    ? []
    : value.values.filter((name) => name !== '*' && !Object.hasOwn(SUBRESOURCES, name) && !PLAIN.has(name))
  return [...known, ...custom.flatMap((name) => [`${name}/status`, `${name}/scale`])]
}

/**
 * Whether k8s-keystone-auth takes the key for every subresource too, whether Kubernetes has one or not. A bare `*` covers
 * subresources here as well, and a key that cannot be used is no such key.
 */
export function coversSubresources(key: string): boolean {
  const [namespace = '', resource = '', ...rest] = key.split('/').map((part) => toLower(trimSpace(part)))
  const pattern = parsePattern(resource)
  return rest.length === 0 && parsePattern(namespace).ok && pattern.ok && !pattern.value.isStar
}

/** The key of the object form that grants all of these subresources on purpose. */
export function toSubresourceKey(key: string): string {
  return `${key.trim()}/*`
}
