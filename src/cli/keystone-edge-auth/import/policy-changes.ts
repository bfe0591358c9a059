import { isKeystoneId } from '../../../keystone/ids.ts'
import type { Warning } from '../../../lib/fault.ts'
import type { PolicyEntry } from '../../../policy/policy-document.ts'
import type { Change } from './change.ts'
import { accidentalSubresources, coversSubresources, toSubresourceKey } from './subresources.ts'

/** What an entry of the list form means here and did not mean in k8s-keystone-auth. It never grants more. */
export function findPolicyChanges(entry: PolicyEntry, path: string): Change[] {
  return [
    ...findOtherPrincipals(entry, path),
    ...findSubresources(entry, path),
    ...findProjectNames(entry, path),
    ...findMatches(entry, path),
  ]
}

/** k8s-keystone-auth judges every user who has any `extra`. */
function findOtherPrincipals({ users, match = [], ...entry }: PolicyEntry, path: string): Change[] {
  if (users !== undefined || !Object.values(entry).some((part) => part !== undefined)) return []
  const isVersion2 = entry.resource_permissions !== undefined || entry.nonresource_permissions !== undefined
  const ofKeystone = match.some(({ type, values = [] }) => ['project', 'role'].includes(type) && !values.includes('*'))
  if (ofKeystone && !isVersion2) return []
  const message =
    'applied to every user with extra there, service accounts among them; here to users of Keystone only: grant it by RBAC if others need it'
  return [{ path, message }]
}

function findSubresources({ resource_permissions: permissions = {} }: PolicyEntry, path: string): Change[] {
  const used = Object.entries(permissions).filter(([, verbs]) => verbs.length > 0)
  const named = used.flatMap(([key, verbs]) => {
    const granted = accidentalSubresources(key)
    if (granted.length === 0) return []
    const shown =
      granted.length > 8 ? `${granted.slice(0, 8).join(', ')} and ${granted.length - 8} more` : granted.join(', ')
    const grant = `${JSON.stringify(toSubresourceKey(key))}: ${JSON.stringify(verbs)}`
    return [
      {
        path: `${path}.resource_permissions[${JSON.stringify(key)}]`,
        message: `granted ${shown} there too, by ignoring subresources, and does not here. To grant subresources on purpose, write the object form, {"policies": [ … ]}, with ${grant}, or name them in place of the last *`,
      },
    ]
  })
  const others = used
    .map(([key]) => key)
    .filter((key) => coversSubresources(key) && !accidentalSubresources(key).length)
  if (others.length === 0) return named
  const message = `${others.map((key) => JSON.stringify(key)).join(', ')}: matched requests for subresources there too, and not here; Kubernetes has none of these resources`
  return [...named, { path: `${path}.resource_permissions`, message }]
}

/** Names of projects matched whatever the domain; now they match in the home domain only. */
function findProjectNames({ users, match = [] }: PolicyEntry, path: string): Change[] {
  const describe = (at: string, value: unknown): Change[] =>
    typeof value === 'string' && !isKeystoneId(value)
      ? [
          {
            path: at,
            message: `means the project ${JSON.stringify(value)} of the home domain (HOME_DOMAIN); there it was any project of that name or id. Write its id; or in the object form {"name": …, "domain": …} for one in another domain`,
          },
        ]
      : [{ path: at, message: 'means the project of this id; there a project of this name matched too' }]
  return [
    ...(users?.projects ?? []).flatMap((value, index) => describe(`${path}.users.projects[${index}]`, value)),
    ...match.flatMap(({ type, values = [] }, index) =>
      type === 'project' && !values.includes('*')
        ? values.flatMap((value, place) => describe(`${path}.match[${index}].values[${place}]`, value))
        : [],
    ),
  ]
}

function findMatches({ match = [] }: PolicyEntry, path: string): Change[] {
  return match.flatMap(({ type, values = [] }, index) =>
    values.flatMap((value, place) => {
      if (typeof value !== 'string' || !isKeystoneId(value)) return []
      const at = `${path}.match[${index}].values[${place}]`
      if (type === 'group')
        return [
          {
            path: at,
            message:
              'is a group by id: here only the id of the project is a group. A group of Keystone is one by its name, also of a federated user, whose groups were ids there; write the name, or give the group in the mapping',
          },
        ]
      return type === 'user'
        ? [
            {
              path: at,
              message:
                'never matches: a user name that reads as an id is none here. In the object form it means the uid',
            },
          ]
        : []
    }),
  )
}

/** Keys that cannot be used: there a `!` could make them match nearly everything. */
export function toUnusableChange({ path, message }: Warning): Change[] {
  return message.startsWith('never matches') && /\["[^"]*!/.test(path)
    ? [{ path, message: `${message}; there it could match more than it excludes` }]
    : []
}
