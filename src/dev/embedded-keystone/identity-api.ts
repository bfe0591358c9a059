import * as v from 'valibot'
import { type ApiRequest, type Connection, call, type Reply } from './api-call.ts'

const Entity = v.object({ id: v.string(), name: v.string() })
const Credential = v.object({ ...Entity.entries, secret: v.string() })
const Trust = v.object({ id: v.string() })

/** A thing with an id and a name. */
type Entity = v.InferOutput<typeof Entity>

/** An application credential just made: the only time its secret is shown. */
type Credential = v.InferOutput<typeof Credential>

/** The kinds of entities that have names, as paths and as keys of bodies. */
type Kind = keyof typeof KINDS
const KINDS = { users: 'user', projects: 'project', groups: 'group', domains: 'domain', roles: 'role' } as const

/** What a new trust says. `expiresAt` in ISO 8601. */
interface NewTrust {
  trustor: string
  trustee: string
  project: string
  roles: string[]
  impersonation?: boolean
  expiresAt?: string
}

/** Who gets a role, and where: ids. */
interface RoleGrant {
  role: string
  user?: string
  group?: string
  project?: string
  domain?: string
}

/**
 * A small client of the Identity API that acts with one token. All methods but `send` and `has…` throw an Error with
 * the answer when the status is not a success.
 */
export interface IdentityApi {
  /** Any request; never throws for a status. */
  send(request: ApiRequest): Promise<Reply>
  create(kind: Kind, fields: Record<string, unknown>): Promise<Entity>
  /** The one entity of that name, in that domain if given. */
  find(kind: Kind, name: string, domainId?: string): Promise<Entity | undefined>
  update(kind: Kind, id: string, fields: Record<string, unknown>): Promise<void>
  remove(kind: Kind, id: string): Promise<void>
  /** Without project and domain the grant is on the system. */
  grant(grant: RoleGrant): Promise<void>
  ungrant(grant: RoleGrant): Promise<void>
  addToGroup(group: string, user: string): Promise<void>
  removeFromGroup(group: string, user: string): Promise<void>
  createApplicationCredential(user: string, fields: Record<string, unknown>): Promise<Credential>
  removeApplicationCredential(user: string, id: string): Promise<void>
  createTrust(trust: NewTrust): Promise<{ id: string }>
  removeTrust(id: string): Promise<void>
}

/** The client. */
export function createIdentityApi(connection: Connection, token: string): IdentityApi {
  const send = (request: ApiRequest) => call(connection, { ...request, token })
  const act = async (method: string, path: string, body?: unknown) =>
    succeed(await send({ method, path, ...(body !== undefined && { body }) }), `${method} ${path}`)
  return {
    send,
    async create(kind, fields) {
      const { body } = await act('POST', `/${kind}`, { [KINDS[kind]]: fields })
      return member(Entity, KINDS[kind], body)
    },
    async find(kind, name, domainId) {
      const query = new URLSearchParams({ name, ...(domainId !== undefined && { domain_id: domainId }) })
      const { body } = await act('GET', `/${kind}?${query}`)
      return member(v.array(Entity), kind, body)[0]
    },
    update: async (kind, id, fields) => void (await act('PATCH', `/${kind}/${id}`, { [KINDS[kind]]: fields })),
    remove: async (kind, id) => void (await act('DELETE', `/${kind}/${id}`)),
    grant: async (grant) => void (await act('PUT', grantPath(grant))),
    ungrant: async (grant) => void (await act('DELETE', grantPath(grant))),
    addToGroup: async (group, user) => void (await act('PUT', `/groups/${group}/users/${user}`)),
    removeFromGroup: async (group, user) => void (await act('DELETE', `/groups/${group}/users/${user}`)),
    async createApplicationCredential(user, fields) {
      const path = `/users/${user}/application_credentials`
      const { body } = await act('POST', path, { application_credential: fields })
      return member(Credential, 'application_credential', body)
    },
    removeApplicationCredential: async (user, id) =>
      void (await act('DELETE', `/users/${user}/application_credentials/${id}`)),
    async createTrust(trust) {
      const { body } = await act('POST', '/OS-TRUST/trusts', { trust: trustFields(trust) })
      return member(Trust, 'trust', body)
    },
    removeTrust: async (id) => void (await act('DELETE', `/OS-TRUST/trusts/${id}`)),
  }
}

/** The reply, if its status is a success. @throws Error that names what was tried, with the answer */
export function succeed(reply: Reply, what: string): Reply {
  if (reply.status >= 200 && reply.status < 300) return reply
  throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`)
}

function member<const Schema extends v.GenericSchema>(schema: Schema, key: string, body: unknown) {
  const parsed = v.parse(v.record(v.string(), v.unknown()), body)
  return v.parse(schema, parsed[key])
}

function grantPath({ role, user, group, project, domain }: RoleGrant): string {
  const actor = user === undefined ? `groups/${group}` : `users/${user}`
  if (project !== undefined) return `/projects/${project}/${actor}/roles/${role}`
  if (domain !== undefined) return `/domains/${domain}/${actor}/roles/${role}`
  return `/system/${actor}/roles/${role}`
}

function trustFields({ trustor, trustee, project, roles, impersonation = false, expiresAt }: NewTrust) {
  return {
    trustor_user_id: trustor,
    trustee_user_id: trustee,
    project_id: project,
    impersonation,
    roles: roles.map((name) => ({ name })),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
  }
}
