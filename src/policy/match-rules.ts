import { isKeystoneId } from '../keystone/ids.ts'
import type { Warning } from '../lib/fault.ts'
import { createVerbMatcher, type Entry, takesPath } from './permission-rules.ts'
import type { Principal } from './principal.ts'
import type { Condition, Form, NonResourceRule, ResourceRule } from './rule.ts'
import { createProjectMatcher, type ProjectSelector } from './users.ts'

interface ResourceSpec {
  readonly verbs?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  /** Really the API group. */
  readonly version?: string | undefined
  readonly namespace?: string | undefined
}

interface NonResourceSpec {
  readonly verbs?: readonly string[] | undefined
  readonly path?: string | undefined
}

interface Match {
  readonly type: string
  readonly values?: readonly ProjectSelector[] | undefined
}

/** `resource` with `match`. What the list form leaves out refuses the document before; in the object form it is `*`. */
export function compileResource(spec: ResourceSpec, entry: Entry): ResourceRule {
  const { who, anyRole, normalise } = entry
  const namespace = normalise(spec.namespace ?? '*')
  const group = normalise(spec.version ?? '*')
  const resources = new Set((spec.resources ?? []).map(normalise))
  return {
    kind: 'resource',
    path: `${entry.path}.resource`,
    who,
    anyRole,
    namespaces: namespace === '*' ? undefined : [namespace],
    what: [
      { name: 'verb', holds: createVerbMatcher((spec.verbs ?? []).map(normalise), normalise) },
      { name: 'version', holds: (request) => group === '*' || group === normalise(request.group) },
      { name: 'namespace', holds: (request) => namespace === '*' || namespace === normalise(request.namespace) },
      {
        name: 'resources',
        holds(request) {
          const [resource, subresource] = [normalise(request.resource), normalise(request.subresource)]
          if (resources.has('*')) return true
          if (subresource === '') return resources.has(resource)
          return resources.has(`${resource}/*`) || resources.has(`${resource}/${subresource}`)
        },
      },
    ],
  }
}

/** `nonresource` with `match`: an exact path, a prefix ending in `*`, or `*`. */
export function compileNonResource(spec: NonResourceSpec, entry: Entry): NonResourceRule {
  const { verbs = [], path } = spec
  const { who, anyRole, normalise } = entry
  const takesVerb = createVerbMatcher(verbs.map(normalise), normalise)
  return {
    kind: 'nonresource',
    path: `${entry.path}.nonresource`,
    who,
    anyRole,
    what: [
      { name: 'verb', holds: (request) => !verbs.includes('') && takesVerb(request) },
      { name: 'path', holds: (request) => path !== undefined && takesPath(path, request.path) },
    ],
  }
}

/** Prepares `match`: every condition must hold; no `match` means everyone. */
export function compileMatch(match: readonly Match[], form: Form): Condition<Principal>[] {
  return match.map(({ type, values = [] }, index) => ({
    name: `match[${index}]`,
    holds: values.includes('*') && isKnownType(type) ? () => true : createMatcher(type, values, form),
  }))
}

/** What in `match` can never match, in the words for its author. */
export function findMatchWarnings(match: readonly Match[], form: Form, path: string): Warning[] {
  return match.flatMap(({ type, values = [] }, index) => {
    const at = `${path}.match[${index}]`
    if (!isKnownType(type)) return [{ path: at, message: 'never matches: expected user, group, project or role' }]
    if (values.length === 0) return [{ path: at, message: 'never matches: there are no values' }]
    if (type !== 'user' || form === 'object') return []
    return values.flatMap((value, place) =>
      typeof value === 'string' && isKeystoneId(value)
        ? [{ path: `${at}.values[${place}]`, message: 'never matches: the list form compares no uids' }]
        : [],
    )
  })
}

/** The roles of which one is needed, by the first condition of type role. */
export function rolesOfMatch(match: readonly Match[]): readonly string[] | undefined {
  const condition = match.find(({ type, values = [] }) => type === 'role' && !values.includes('*'))
  return condition?.values?.filter((value): value is string => typeof value === 'string')
}

function isKnownType(type: string): boolean {
  return ['user', 'group', 'project', 'role'].includes(type)
}

function createMatcher(
  type: string,
  values: readonly ProjectSelector[],
  form: Form,
): (principal: Principal) => boolean {
  const texts = new Set(values.filter((value) => typeof value === 'string'))
  switch (type) {
    case 'group':
      return ({ groups }) => [...groups].some((group) => texts.has(group))
    case 'role':
      return ({ roles }) => [...roles].some((role) => texts.has(role))
    case 'project':
      return createProjectMatcher(values)
    case 'user':
      // On the wire of k8s-keystone-auth the uid is always empty, so that an empty value accepts everyone.
      return ({ user, uid }) =>
        texts.has('') ||
        (texts.has(user) && !isKeystoneId(user)) ||
        (form === 'object' && isKeystoneId(uid) && texts.has(uid))
    default:
      return () => false
  }
}
