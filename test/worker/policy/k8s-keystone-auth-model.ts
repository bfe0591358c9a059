import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import type { Entry } from './reference.ts'

// A model of k8s-keystone-auth's policy check, quirks included. What the model allows is the upper bound of what the list
// form may allow. `npm run test:peers` compares with k8s-keystone-auth itself.

/** Whether k8s-keystone-auth would allow the request. The schema refuses entries that make k8s-keystone-auth panic. */
export function keystoneAuthAllows(document: readonly Entry[], attributes: AccessAttributes): boolean {
  // k8s-keystone-auth decides about every user with at least one extra key, even a key without a value.
  if (Object.keys(attributes.extra).length === 0) return false
  return document.some((entry) => entryAllows(entry, attributes))
}

function values(attributes: AccessAttributes, key: string): readonly string[] {
  return attributes.extra[`alpha.kubernetes.io/identity/${key}`] ?? []
}

function projects(attributes: AccessAttributes): readonly string[] {
  return [...values(attributes, 'project/name'), ...values(attributes, 'project/id')]
}

function entryAllows(entry: Entry, attributes: AccessAttributes): boolean {
  const { users, resource_permissions: permissions, nonresource_permissions: paths, resource, nonresource } = entry
  if (users !== undefined) {
    const roles = values(attributes, 'roles')
    if (!(users.roles ?? []).every((role) => roles.includes(role))) return false
    if (!projects(attributes).some((project) => (users.projects ?? []).includes(project))) return false
  }
  const { request } = attributes
  if (request.kind === 'nonresource') {
    if (paths !== undefined) return (paths[request.path] ?? []).some((verb) => verb === '*' || verb === request.verb)
    return nonresource !== undefined && pathAllows(nonresource, request) && matches(entry, attributes)
  }
  if (permissions !== undefined) {
    return Object.entries(permissions).some(([key, verbs]) => {
      const [namespace, name, ...rest] = key.split('/').map((part) => part.trim().toLowerCase())
      if (namespace === undefined || name === undefined || rest.length > 0) return false
      if (request.namespace === '' && namespace !== '*') return false
      const asked = verbs.map((verb) => verb.toLowerCase())
      if (!asked.includes('*') && !asked.includes(request.verb)) return false
      return halfAllows(namespace, request.namespace) && halfAllows(name, request.resource)
    })
  }
  return resource !== undefined && resourceAllows(resource, request) && matches(entry, attributes)
}

function halfAllows(half: string, asked: string): boolean {
  if (half === asked || half === '*' || asked === '') return true
  const negated = half.startsWith('!')
  const rest = negated ? half.slice(1) : half
  if (!rest.startsWith('[')) return negated && rest !== asked && rest !== '*'
  const items = rest.indexOf(']') === rest.length - 1 ? parse(rest.replaceAll("'", '"')) : undefined
  return items !== undefined && (items.includes('*') || items.includes(asked)) !== negated
}

function parse(text: string): unknown[] | undefined {
  try {
    const items: unknown = JSON.parse(text)
    return Array.isArray(items) && items.every((item) => typeof item === 'string') ? items : undefined
  } catch {
    return undefined
  }
}

type Resource = Extract<AccessAttributes['request'], { kind: 'resource' }>
type NonResource = Extract<AccessAttributes['request'], { kind: 'nonresource' }>

function resourceAllows(spec: NonNullable<Entry['resource']>, request: Resource): boolean {
  const { verbs = [], resources = [], version, namespace } = spec
  const { resource, subresource } = request
  const names = subresource === '' ? [resource] : [`${resource}/*`, `${resource}/${subresource}`]
  return (
    (version === '*' || version === request.group) &&
    (namespace === '*' || namespace === request.namespace) &&
    ['*', ...names].some((name) => resources.includes(name)) &&
    ['*', request.verb].some((verb) => verbs.includes(verb))
  )
}

function pathAllows({ verbs = [], path }: NonNullable<Entry['nonresource']>, request: NonResource): boolean {
  if (verbs.includes('') || path === undefined) return false
  if (!verbs.includes('*') && !verbs.includes(request.verb)) return false
  if (path === '*' || path === request.path) return true
  return path.endsWith('*') && request.path.startsWith(path.replace(/\*+$/, ''))
}

function matches({ match = [] }: Entry, attributes: AccessAttributes): boolean {
  return match.every(({ type, values: accepted = [] }) => {
    if (!['user', 'group', 'project', 'role'].includes(type)) return false
    if (accepted.includes('*')) return true
    // k8s-keystone-auth never receives the uid, and compares the empty string.
    if (type === 'user') return accepted.includes(attributes.user) || accepted.includes('')
    const held = { group: attributes.groups, project: projects(attributes), role: values(attributes, 'roles') }[type]
    return (held ?? []).some((value) => accepted.includes(value))
  })
}
