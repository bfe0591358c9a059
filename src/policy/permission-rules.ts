import type { NonResourceRequest, ResourceRequest } from '../k8s/subject-access-review.ts'
import type { Warning } from '../lib/fault.ts'
import { toLower, trimSpace } from './go-text.ts'
import { type Pattern, parsePattern, patternTakes } from './pattern.ts'
import type { Principal } from './principal.ts'
import type { Condition, Form, NonResourceRule, ResourceRule } from './rule.ts'

/** Verbs by permission key, as written. */
type Permissions = Readonly<Record<string, readonly string[]>>

/** What the permissions of an entry need to know of the rest of it. */
export interface Entry {
  readonly path: string
  readonly form: Form
  readonly who: readonly Condition<Principal>[]
  readonly anyRole: readonly string[] | undefined
  /** How what Kubernetes asks for is compared: in lower case in the object form, else as it is. */
  readonly normalise: (text: string) => string
  readonly onWarning: (warning: Warning) => void
}

/** `resource_permissions`: `"namespace/resource": ["verb", …]`. */
export function compileResourcePermissions(permissions: Permissions, entry: Entry): ResourceRule[] {
  return Object.entries(permissions).flatMap(([key, verbs]) => {
    const path = `${entry.path}.resource_permissions[${JSON.stringify(key)}]`
    const inert = (message: string): [] => {
      entry.onWarning({ path, message: `never matches: ${message}` })
      return []
    }
    const parts = key.split('/').map((part) => toLower(trimSpace(part)))
    const [namespaceText = '', resourceText = '', subresourceText] = parts
    if (parts.length < 2 || parts.length > (entry.form === 'list' ? 2 : 3)) {
      return inert(entry.form === 'list' ? 'expected exactly one /' : 'expected one / or two')
    }
    const namespace = parsePattern(namespaceText)
    const resource = parsePattern(resourceText)
    const subresource = subresourceText === undefined ? undefined : parsePattern(subresourceText)
    if (!namespace.ok) return inert(`the namespace ${namespace.error}`)
    if (!resource.ok) return inert(`the resource ${resource.error}`)
    if (subresource?.ok === false) return inert(`the subresource ${subresource.error}`)
    const { who, anyRole, normalise } = entry
    const rule: ResourceRule = {
      kind: 'resource',
      path,
      who,
      anyRole,
      namespaces: namespacesOf(namespace.value),
      what: [
        { name: 'verb', holds: createVerbMatcher(verbs.map(toLower), normalise) },
        { name: 'namespace', holds: (request) => takesNamespace(namespace.value, normalise(request.namespace)) },
        { name: 'resource', holds: createResourceMatcher(resource.value, subresource?.value, entry) },
      ],
    }
    return [rule]
  })
}

/** `nonresource_permissions`: `"/path": ["verb", …]`, exact; a trailing `*` is a prefix in the object form. */
export function compileNonResourcePermissions(permissions: Permissions, entry: Entry): NonResourceRule[] {
  return Object.entries(permissions).map(([key, verbs]) => {
    const path = `${entry.path}.nonresource_permissions[${JSON.stringify(key)}]`
    const { form, who, anyRole, normalise } = entry
    const message = 'matches only a path that ends in *: version 2 has no prefixes in the list form'
    if (form === 'list' && key.endsWith('*')) entry.onWarning({ path, message })
    const takes = (asked: string): boolean => (form === 'object' ? takesPath(key, asked) : asked === key)
    return {
      kind: 'nonresource',
      path,
      who,
      anyRole,
      what: [
        { name: 'verb', holds: createVerbMatcher(verbs.map(normalise), normalise) },
        { name: 'path', holds: (request: NonResourceRequest) => takes(request.path) },
      ],
    }
  })
}

/** Whether a path is the one that is asked for, or a prefix of it that ends in `*`. */
export function takesPath(path: string, asked: string): boolean {
  return path === asked || (path.endsWith('*') && asked.startsWith(path.replace(/\*+$/, '')))
}

/** Whether a list of verbs takes the request's; `*` takes all. */
export function createVerbMatcher(
  verbs: readonly string[],
  normalise: (text: string) => string,
): (request: { readonly verb: string }) => boolean {
  const wanted = new Set(verbs)
  return wanted.has('*') ? () => true : ({ verb }) => wanted.has(normalise(verb))
}

// A request without a namespace is met by a bare `*` only.
function takesNamespace(pattern: Pattern, namespace: string): boolean {
  return namespace === '' ? pattern.isStar : patternTakes(pattern, (value) => value === namespace)
}

function namespacesOf({ negated, values }: Pattern): readonly string[] | undefined {
  return negated || values.includes('*') ? undefined : values
}

/**
 * The resource half names exactly what it says. Unlike in k8s-keystone-auth it does not cover subresources, of which
 * `pods/exec` is the most dangerous, unless it is a bare `*` or (object form) a third part names them.
 */
function createResourceMatcher(
  resource: Pattern,
  subresource: Pattern | undefined,
  { form, normalise }: Entry,
): (request: ResourceRequest) => boolean {
  const takesResource = (value: string, { resource: asked, group }: ResourceRequest): boolean =>
    form === 'list' ? value === asked : takesQualified(value, toLower(asked), toLower(group))
  return (request) => {
    const asked = normalise(request.subresource)
    if (subresource === undefined && asked !== '' && !resource.isStar) return false
    if (subresource !== undefined && (asked === '' || !patternTakes(subresource, (value) => value === asked)))
      return false
    return patternTakes(resource, (value) => takesResource(value, request))
  }
}

/** `deployments.apps` as kubectl writes it: with the API group; without one any group matches. */
function takesQualified(value: string, resource: string, group: string): boolean {
  const dot = value.indexOf('.')
  if (dot === -1) return value === resource
  const name = value.slice(0, dot)
  return (name === '*' || name === resource) && value.slice(dot + 1) === group
}
