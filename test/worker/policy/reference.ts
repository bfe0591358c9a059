import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'

// The language of policies once more, as plainly as it can be said: no index, nothing prepared, one entry after the
// other. It shares no code with what it is compared with, only types.

export type Project = string | { readonly name: string; readonly domain: string }
export interface Entry {
  readonly users?: { readonly roles?: readonly string[]; readonly projects?: readonly Project[] }
  readonly resource_permissions?: Readonly<Record<string, readonly string[]>>
  readonly nonresource_permissions?: Readonly<Record<string, readonly string[]>>
  readonly resource?: {
    readonly verbs?: readonly string[]
    readonly resources?: readonly string[]
    readonly version?: string
    readonly namespace?: string
  }
  readonly nonresource?: { readonly verbs?: readonly string[]; readonly path?: string }
  readonly match?: readonly { readonly type: string; readonly values?: readonly Project[] }[]
}
export interface ObjectDocument {
  readonly policies: readonly Entry[]
  readonly on_no_match?: 'no_opinion' | 'deny'
}
export type Document = readonly Entry[] | ObjectDocument

type Resource = Extract<AccessAttributes['request'], { kind: 'resource' }>
type NonResource = Extract<AccessAttributes['request'], { kind: 'nonresource' }>
interface Asked {
  readonly attributes: AccessAttributes
  readonly home: string
  readonly wide: boolean
}

/** The verdict that the description gives. */
export function judge(document: Document, attributes: AccessAttributes, home: string): 'allow' | 'deny' | 'no_opinion' {
  if (!Object.keys(attributes.extra).some((key) => key.startsWith('alpha.kubernetes.io/identity/'))) return 'no_opinion'
  const wide = 'policies' in document
  const entries = wide ? document.policies : document
  if (entries.some((entry) => entryAllows(entry, { attributes, home, wide }))) return 'allow'
  return wide && document.on_no_match === 'deny' && !isSpared(attributes) ? 'deny' : 'no_opinion'
}

function entryAllows(entry: Entry, asked: Asked): boolean {
  if (entry.users !== undefined && !usersHold(entry.users, asked)) return false
  const { request } = asked.attributes
  if (request.kind === 'resource') {
    if (entry.resource_permissions !== undefined) {
      return Object.entries(entry.resource_permissions).some((one) => permissionTakes(one, request, asked.wide))
    }
    return (
      entry.resource !== undefined && resourceTakes(entry.resource, request, asked.wide) && matchHolds(entry, asked)
    )
  }
  if (entry.nonresource_permissions !== undefined) {
    return Object.entries(entry.nonresource_permissions).some((one) => pathPermissionTakes(one, request, asked.wide))
  }
  return (
    entry.nonresource !== undefined && pathTakes(entry.nonresource, request, asked.wide) && matchHolds(entry, asked)
  )
}

function extra({ attributes }: Asked, key: string): readonly string[] {
  return attributes.extra[`alpha.kubernetes.io/identity/${key}`] ?? []
}

function usersHold({ roles = [], projects }: NonNullable<Entry['users']>, asked: Asked): boolean {
  const held = extra(asked, 'roles')
  if (!roles.every((role) => held.includes(role))) return false
  if (projects !== undefined) return projects.some((project) => isProject(project, asked))
  const own = [...extra(asked, 'project/id'), ...extra(asked, 'project/name')]
  return asked.wide && roles.length > 0 && own.some((text) => text.length > 0)
}

function isId(text: string): boolean {
  return (text.length === 32 || text.length === 64) && [...text].every((digit) => '0123456789abcdef'.includes(digit))
}

function isProject(project: Project, asked: Asked): boolean {
  if (typeof project === 'string' && isId(project)) return extra(asked, 'project/id').includes(project)
  const { name, domain } = typeof project === 'string' ? { name: project, domain: asked.home } : project
  const domains = asked.attributes.extra['keystone.openstack.org/project-domain-id'] ?? [asked.home]
  return !isId(name) && extra(asked, 'project/name').includes(name) && domains.length === 1 && domains[0] === domain
}

function matchHolds({ match = [] }: Entry, asked: Asked): boolean {
  return match.every(({ type, values = [] }) => {
    if (!['user', 'group', 'project', 'role'].includes(type)) return false
    if (values.includes('*')) return true
    if (type === 'project') return values.some((value) => isProject(value, asked))
    const { user, uid, groups } = asked.attributes
    if (type === 'group') return groups.some((group) => values.includes(group))
    if (type === 'role') return extra(asked, 'roles').some((role) => values.includes(role))
    if (values.includes('')) return true
    return (values.includes(user) && !isId(user)) || (asked.wide && isId(uid) && values.includes(uid))
  })
}

function low(text: string, wide: boolean): string {
  return wide ? text.toLowerCase() : text
}

function verbTakes(verbs: readonly string[], verb: string): boolean {
  return verbs.includes('*') || verbs.includes(verb)
}

function permissionTakes([key, verbs]: [string, readonly string[]], request: Resource, wide: boolean): boolean {
  const parts = key.split('/').map((part) => part.trim().toLowerCase())
  if (parts.length !== 2 && !(wide && parts.length === 3)) return false
  const [namespaces = '', resources = '', subresources] = parts
  if (
    !verbTakes(
      verbs.map((verb) => verb.toLowerCase()),
      low(request.verb, wide),
    )
  )
    return false
  const halves = [namespaces, resources, subresources ?? '*'].map(read)
  if (halves.some((half) => half === undefined)) return false
  if (request.namespace === '' ? namespaces !== '*' : !takes(namespaces, low(request.namespace, wide))) return false
  if (subresources === undefined ? request.subresource !== '' && resources !== '*' : request.subresource === '') {
    return false
  }
  if (subresources !== undefined && !takes(subresources, low(request.subresource, wide))) return false
  return takes(resources, ...(wide ? namesOf(request).map((name) => name.toLowerCase()) : [request.resource]))
}

/** How the object form may call a resource: with a dot, what follows the first one is the group. */
function namesOf({ resource, group }: Resource): readonly string[] {
  return resource.includes('.') ? [`*.${group}`] : [resource, `${resource}.${group}`, `*.${group}`]
}

/** A half as its values, with whether they are excluded; `undefined` when it can never match. */
function read(half: string): { readonly not: boolean; readonly values: readonly unknown[] } | undefined {
  const not = half.startsWith('!')
  const rest = not ? half.slice(1) : half
  if (rest === '') return undefined
  if (!rest.startsWith('[')) return { not, values: [rest] }
  if (!/^\[[^\]]*\]$/.test(rest)) return undefined
  try {
    const values: unknown[] = JSON.parse(rest.split("'").join('"'))
    return values.every((value) => typeof value === 'string') ? { not, values } : undefined
  } catch {
    return undefined
  }
}

function takes(half: string, ...names: readonly string[]): boolean {
  const pattern = read(half)
  return pattern !== undefined && ['*', ...names].some((name) => pattern.values.includes(name)) !== pattern.not
}

function resourceTakes(spec: NonNullable<Entry['resource']>, request: Resource, wide: boolean): boolean {
  const { verbs = [], resources = [], version = '*', namespace = '*' } = spec
  const { resource, subresource } = request
  const accepted = subresource === '' ? ['*', resource] : ['*', `${resource}/*`, `${resource}/${subresource}`]
  return (
    (version === '*' || low(version, wide) === low(request.group, wide)) &&
    (namespace === '*' || low(namespace, wide) === low(request.namespace, wide)) &&
    accepted.some((one) => resources.map((text) => low(text, wide)).includes(low(one, wide))) &&
    verbTakes(
      verbs.map((verb) => low(verb, wide)),
      low(request.verb, wide),
    )
  )
}

function pathTakes({ verbs = [], path }: NonNullable<Entry['nonresource']>, request: NonResource, wide: boolean) {
  if (verbs.includes('') || path === undefined) return false
  if (
    !verbTakes(
      verbs.map((verb) => low(verb, wide)),
      low(request.verb, wide),
    )
  )
    return false
  return path === request.path || isPrefix(path, request.path)
}

function pathPermissionTakes([key, verbs]: [string, readonly string[]], request: NonResource, wide: boolean): boolean {
  if (
    !verbTakes(
      verbs.map((verb) => low(verb, wide)),
      low(request.verb, wide),
    )
  )
    return false
  return key === request.path || (wide && isPrefix(key, request.path))
}

function isPrefix(pattern: string, path: string): boolean {
  let prefix = pattern
  while (prefix.endsWith('*')) prefix = prefix.slice(0, -1)
  return prefix !== pattern && path.startsWith(prefix)
}

/** What an explicit deny never covers. */
function isSpared({ user, groups, request }: AccessAttributes): boolean {
  if (user.startsWith('system:')) return true
  if (groups.some((group) => group !== 'system:authenticated' && group.startsWith('system:'))) return true
  if (request.kind === 'resource') {
    const { group, resource, subresource, verb } = request
    const own = resource === 'selfsubjectreviews' ? 'authentication.k8s.io' : 'authorization.k8s.io'
    const all = ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']
    return verb === 'create' && all.includes(resource) && subresource === '' && (group === '' || group === own)
  }
  const { verb, path } = request
  const segments = path.split('/')
  if (verb !== 'get' || segments.includes('.') || segments.includes('..')) return false
  if (['/version', '/healthz', '/livez', '/readyz'].includes(path)) return true
  return ['/api', '/apis', '/openapi'].some((root) => path === root || path.startsWith(`${root}/`))
}
