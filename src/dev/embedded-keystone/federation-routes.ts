import { Hono } from 'hono'
import * as v from 'valibot'
import { conflict, notFound, unauthorized } from './errors.ts'
import { assertionOf } from './federated-user.ts'
import { issueToken } from './issue-token.ts'
import type { MappingRule } from './keystone-state.ts'
import { getDomain, getIdentityProvider } from './lookup.ts'
import { readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, type RouteContext } from './require-token.ts'
import { tokenBody } from './token-body.ts'

const ProviderUpdate = v.object({
  enabled: v.optional(v.boolean()),
  authorization_ttl: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0)))),
})
const Provider = v.object({
  ...ProviderUpdate.entries,
  domain_id: v.string(),
  remote_ids: v.optional(v.array(v.string()), []),
})
/** Only conditions that want a value to be there, and of what a mapping gives only a user and groups by id. */
const Local = v.strictObject({
  user: v.optional(v.strictObject({ id: v.optional(v.string()), name: v.optional(v.string()) })),
  group: v.optional(v.strictObject({ id: v.string() })),
})
const Rule = v.strictObject({ local: v.array(Local), remote: v.array(v.strictObject({ type: v.string() })) })
const Mapping = v.object({ rules: v.pipe(v.array(Rule), v.minLength(1)) })
const Protocol = v.object({ mapping_id: v.string() })

/** The methods that read an assertion: `[auth] methods` of the real Keystone of the tests. */
const PROTOCOLS = ['openid', 'mapped']

const PROVIDER = '/OS-FEDERATION/identity_providers/:id'
const PROTOCOL = `${PROVIDER}/protocols/:protocol`
const MAPPING = '/OS-FEDERATION/mappings/:id'

/** `/OS-FEDERATION`: identity providers, their protocols, mappings, and the login. */
export function federationRoutes(context: RouteContext): Hono {
  const { state } = context
  return new Hono({ strict: false })
    .put(PROVIDER, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_identity_provider')
      const given = await readEntity(c, 'identity_provider', Provider)
      const id = c.req.param('id')
      if (state.identityProviders.has(id)) throw conflict('identity_provider', `Duplicate entry found with ID ${id}`)
      const { enabled = false, domain_id, remote_ids: remoteIds, authorization_ttl } = given
      const domainId = getDomain(state, domain_id).id
      const authorizationTtl = authorization_ttl ?? 0
      state.identityProviders.set(id, { id, domainId, enabled, remoteIds, authorizationTtl, protocols: new Map() })
      return c.json({ identity_provider: { id, ...given, enabled } }, 201)
    })
    .patch(PROVIDER, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_identity_provider')
      const provider = getIdentityProvider(state, c.req.param('id'))
      const { enabled, authorization_ttl } = await readEntity(c, 'identity_provider', ProviderUpdate)
      if (enabled !== undefined) provider.enabled = enabled
      if (authorization_ttl !== undefined) provider.authorizationTtl = authorization_ttl ?? 0
      const { id, domainId: domain_id, remoteIds: remote_ids } = provider
      return c.json({ identity_provider: { id, domain_id, remote_ids, enabled: provider.enabled } })
    })
    .delete(PROVIDER, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_identity_provider')
      state.identityProviders.delete(getIdentityProvider(state, c.req.param('id')).id)
      return c.body(null, 204)
    })
    .put(PROTOCOL, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_protocol')
      const { id, protocol } = c.req.param()
      const { mapping_id } = await readEntity(c, 'protocol', Protocol)
      getIdentityProvider(state, id).protocols.set(protocol, mapping_id)
      return c.json({ protocol: { id: protocol, mapping_id } }, 201)
    })
    .delete(PROTOCOL, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_protocol')
      const { id, protocol } = c.req.param()
      if (!getIdentityProvider(state, id).protocols.delete(protocol)) throw notFound('federated protocol', protocol)
      return c.body(null, 204)
    })
    .put(MAPPING, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_mapping')
      const { rules } = await readEntity(c, 'mapping', Mapping)
      state.mappings.set(c.req.param('id'), rules.map(ruleOf))
      return c.json({ mapping: { id: c.req.param('id'), rules } }, 201)
    })
    .delete(MAPPING, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_mapping')
      const id = c.req.param('id')
      if (!state.mappings.delete(id)) throw notFound('mapping', id)
      return c.body(null, 204)
    })
    .route('/', loginRoute(context))
}

/** The login. Keystone believes the assertion, and answers GET and POST alike. */
function loginRoute(context: RouteContext): Hono {
  return new Hono({ strict: false }).on(['GET', 'POST'], `${PROTOCOL}/auth`, async (c) => {
    const { id, protocol } = c.req.param()
    if (!PROTOCOLS.includes(protocol)) throw unauthorized('Attempted to authenticate with an unsupported method.')
    const identity = { methods: [protocol], [protocol]: { identity_provider: id, protocol } }
    const token = await issueToken(context, { auth: { identity } }, assertionOf(c))
    const body = tokenBody(context.state, token, { url: context.url, withCatalog: true })
    return c.json(body, 201, { 'X-Subject-Token': token.id, Vary: 'X-Auth-Token' })
  })
}

function ruleOf({ local, remote }: v.InferOutput<typeof Rule>): MappingRule {
  const user = local.find((entry) => entry.user !== undefined)?.user
  return {
    remote: remote.map(({ type }) => type),
    groupIds: local.flatMap(({ group }) => group?.id ?? []),
    ...(user !== undefined && {
      user: { ...(user.id !== undefined && { id: user.id }), ...(user.name !== undefined && { name: user.name }) },
    }),
  }
}
