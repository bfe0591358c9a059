import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, forbidden, KeystoneError } from './errors.ts'
import { newId, newSecret } from './ids.ts'
import type { ApplicationCredential, State } from './keystone-state.ts'
import { getApplicationCredential } from './lookup.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { applicationCredentialBody } from './resource-json.ts'
import { RoleReferences, roleIdsOf } from './role-references.ts'
import { parseExpiry } from './timestamps.ts'
import type { Token } from './tokens.ts'

const Create = v.object({
  name: nameSchema(255),
  description: v.optional(v.nullable(v.string()), null),
  secret: v.optional(v.nullable(v.string())),
  roles: v.optional(RoleReferences, []),
  expires_at: v.optional(v.nullable(v.string())),
  unrestricted: v.optional(v.nullable(v.boolean()), null),
  access_rules: v.optional(v.array(v.object({ service: v.string(), path: v.string(), method: v.string() }))),
})

/** `/users/{id}/application_credentials`: only the user creates them, with the scope and roles of the token used. */
export function applicationCredentialRoutes(context: RouteContext): Hono {
  const { state, url } = context
  const path = '/users/:userId/application_credentials'
  return new Hono({ strict: false })
    .post(path, async (c) => {
      const caller = await callerToken(context, c)
      enforce(caller.actsAs.id === c.req.param('userId'), 'create_application_credential')
      assertMayManage(caller)
      const credential = newCredential(context, caller, await readEntity(c, 'application_credential', Create))
      state.applicationCredentials.set(credential.id, credential)
      // The one answer that shows the secret.
      const body = { ...applicationCredentialBody(state, credential, url), secret: credential.secret }
      return c.json({ application_credential: body }, 201)
    })
    .get(path, async (c) => {
      const caller = await callerToken(context, c)
      const userId = c.req.param('userId')
      enforce(mayReadAll(caller) || caller.actsAs.id === userId, 'list_application_credentials')
      const own = filtered(c, state.applicationCredentials.values()).filter(
        (credential) => credential.userId === userId,
      )
      const items = own.map((credential) => applicationCredentialBody(state, credential, url))
      return c.json(collection(c, 'application_credentials', items, url))
    })
    .get(`${path}/:id`, async (c) => {
      const caller = await callerToken(context, c)
      const credential = getApplicationCredential(state, c.req.param('id'))
      enforce(mayReadAll(caller) || caller.actsAs.id === credential.userId, 'get_application_credential')
      return c.json({ application_credential: applicationCredentialBody(state, credential, url) })
    })
    .delete(`${path}/:id`, async (c) => {
      const caller = await callerToken(context, c)
      const credential = getApplicationCredential(state, c.req.param('id'))
      enforce(isAdmin(caller) || caller.actsAs.id === credential.userId, 'delete_application_credential')
      assertMayManage(caller)
      state.applicationCredentials.delete(credential.id)
      return c.body(null, 204)
    })
}

/** Delegated tokens make no lasting credentials, except those of an unrestricted application credential. */
function assertMayManage({ trust, applicationCredential }: Token): void {
  if (trust !== undefined) {
    throw new KeystoneError(403, 'Cannot manage application credentials with a token issued via delegation.')
  }
  if (applicationCredential !== undefined && applicationCredential.unrestricted !== true) {
    throw forbidden(
      "Using method 'application_credential' is not allowed for managing additional application credentials.",
    )
  }
}

function newCredential(
  { state, now }: RouteContext,
  caller: Token,
  given: v.InferOutput<typeof Create>,
): ApplicationCredential {
  const userId = caller.actsAs.id
  assertNameFree(state, userId, given.name)
  return {
    id: newId(),
    name: given.name,
    description: given.description,
    secret: given.secret ?? newSecret(),
    userId,
    projectId: caller.project?.id ?? null,
    roleIds: credentialRoles(state, caller, given.roles),
    expiresAt: parseExpiry(given.expires_at, now()),
    unrestricted: given.unrestricted,
    accessRules: given.access_rules?.map((rule) => ({ id: newId(), ...rule })) ?? null,
  }
}

function credentialRoles(state: State, caller: Token, wanted: v.InferOutput<typeof RoleReferences>): string[] {
  const held = (caller.roles ?? []).map(({ id }) => id)
  if (wanted.length === 0) return held
  const roleIds = roleIdsOf(state, wanted)
  if (!roleIds.every((id) => held.includes(id))) {
    const reason = 'Cannot create an application credential with unassigned role'
    throw new KeystoneError(400, `Invalid application credential: ${reason}`)
  }
  return roleIds
}

function assertNameFree(state: State, userId: string, name: string): void {
  const taken = [...state.applicationCredentials.values()].some(
    (other) => other.userId === userId && other.name === name,
  )
  if (taken) throw conflict('application_credential', `Duplicate entry found with name ${name}`)
}
