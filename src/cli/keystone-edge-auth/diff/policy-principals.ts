import { EXTRA } from '../../../k8s/keystone-extra.ts'
import type { AccessAttributes } from '../../../k8s/subject-access-review.ts'
import { isKeystoneId } from '../../../keystone/ids.ts'
import type { PolicyEntry, PolicyExample } from '../../../policy/policy-document.ts'
import { toAttributes } from '../../../policy/policy-examples.ts'
import { type AccessRequest, requestsOf } from './policy-requests.ts'

/** Who asks. */
type Asker = Omit<AccessAttributes, 'request'>

/** A user for whom two policies are compared, and what the document says of it. */
export interface PolicyPrincipal {
  readonly label: string
  readonly asker: Asker
  /** The requests of its own entry or example. */
  readonly requests: readonly AccessRequest[]
}

/** The users of a document's examples, and one who meets each of its entries. The document has no faults. */
export function principalsOfPolicy(accepted: unknown, homeDomain: string): PolicyPrincipal[] {
  const isList = Array.isArray(accepted)
  const { policies = [], examples = [] } = isList
    ? { policies: accepted as readonly PolicyEntry[] }
    : (accepted as {
        readonly policies?: readonly PolicyEntry[]
        readonly examples?: readonly Partial<PolicyExample>[]
      })
  return [
    ...examples.map((example) => toPolicyPrincipal(toAttributes(fillUp(example), homeDomain))),
    ...policies.map((entry) => ofEntry(entry, homeDomain)),
  ]
}

/** What the schema fills in for what an example leaves out. */
function fillUp(example: Partial<PolicyExample>): PolicyExample {
  const texts = {
    user: '',
    uid: '',
    verb: '',
    resource: '',
    subresource: '',
    group: '',
    namespace: '',
    name: '',
    path: '',
  }
  return { ...texts, groups: [], roles: [], decision: 'no_opinion', ...example }
}

/** The user whom an entry of the document allowed, by its place; `undefined` where there is no such entry. */
export function principalOfEntry(
  accepted: unknown,
  { place, user, homeDomain }: { readonly place: number; readonly user: string; readonly homeDomain: string },
): PolicyPrincipal | undefined {
  const entries: readonly PolicyEntry[] = entriesOf(accepted)
  const entry = entries[place]
  if (entry === undefined) return undefined
  const { asker, requests } = ofEntry(entry, homeDomain)
  const named = { ...asker, user, uid: '' }
  return { label: describeAsker(named), asker: named, requests }
}

function entriesOf(accepted: unknown): readonly PolicyEntry[] {
  if (Array.isArray(accepted)) return accepted
  return (accepted as { readonly policies?: readonly PolicyEntry[] }).policies ?? []
}

/** Whether a document asks who somebody is: otherwise users with equal `extra` may do the same. */
export function asksForNames(accepted: unknown): boolean {
  return entriesOf(accepted).some(({ match = [] }) => match.some(({ type }) => type === 'user' || type === 'group'))
}

/** Somebody who meets `users` and `match`, by the first value of each. */
function ofEntry(entry: PolicyEntry, homeDomain: string): PolicyPrincipal {
  const values = (type: string) =>
    (entry.match ?? []).filter((one) => one.type === type).flatMap((one) => one.values?.slice(0, 1) ?? [])
  const text = (value: unknown): string[] => (typeof value === 'string' && value !== '*' ? [value] : [])
  const project = entry.users?.projects?.[0] ?? values('project')[0]
  const { name, domain } = typeof project === 'object' ? project : { name: project, domain: homeDomain }
  const isId = name !== undefined && isKeystoneId(name)
  const extra = {
    [EXTRA.roles]: [...new Set([...(entry.users?.roles ?? []), ...values('role').flatMap(text)])],
    ...(isId && { [EXTRA.projectId]: [name] }),
    ...(!isId && { [EXTRA.projectName]: [name === undefined || name === '*' ? 'some project' : name] }),
    [EXTRA.projectDomainId]: [domain],
  }
  const [user = ''] = values('user').flatMap(text)
  const asker = { user, uid: isKeystoneId(user) ? user : '', groups: values('group').flatMap(text), extra }
  return { label: describeAsker(asker), asker, requests: requestsOf(entry) }
}

/** The principal of a request. */
export function toPolicyPrincipal({ request, ...asker }: AccessAttributes): PolicyPrincipal {
  return { label: describeAsker(asker), asker, requests: [request] }
}

function describeAsker({ user, groups, extra }: Asker): string {
  const [project] = [...(extra[EXTRA.projectName] ?? []), ...(extra[EXTRA.projectId] ?? [])]
  const roles = extra[EXTRA.roles] ?? []
  const parts = [
    user === '' ? '' : `user ${user}`,
    project === undefined ? '' : `project ${project}`,
    roles.length === 0 ? '' : `roles ${roles.join(', ')}`,
    groups.length === 0 ? '' : `groups ${groups.join(', ')}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'any user' : parts.join('; ')
}
