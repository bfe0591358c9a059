import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, unauthorized } from './errors.ts'
import { newId } from './ids.ts'
import type { User } from './keystone-state.ts'
import { getDomain, getUser } from './lookup.ts'
import { removeUser } from './remove.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, mayReadUser, type RouteContext } from './require-token.ts'
import { userBody, userGroupBody } from './resource-json.ts'
import { revoke } from './tokens.ts'

const Update = v.object({
  name: v.optional(nameSchema(255)),
  enabled: v.optional(v.boolean()),
  password: v.optional(v.nullable(v.string())),
  email: v.optional(v.nullable(v.string())),
  default_project_id: v.optional(v.nullable(v.string())),
})
const Create = v.object({ ...Update.entries, name: nameSchema(255), domain_id: v.optional(v.string(), 'default') })
const PasswordChange = v.object({ original_password: v.string(), password: v.string() })

/** `/users`, a user's own change of password, and a user's groups. */
export function userRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/users', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_users')
      const users = filtered(c, state.users.values()).map((user) => userBody(user, url))
      return c.json(collection(c, 'users', users, url))
    })
    .post('/users', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_user')
      const user = newUser(await readEntity(c, 'user', Create))
      getDomain(state, user.domainId)
      assertNameFree(context, user, user.name)
      state.users.set(user.id, user)
      return c.json({ user: userBody(user, url) }, 201)
    })
    .get('/users/:id', async (c) => {
      const caller = await callerToken(context, c)
      const id = c.req.param('id')
      enforce(mayReadUser(caller, id, state.users.get(id)), 'get_user')
      return c.json({ user: userBody(getUser(state, id), url) })
    })
    .patch('/users/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_user')
      const user = getUser(state, c.req.param('id'))
      updateUser(context, user, await readEntity(c, 'user', Update))
      return c.json({ user: { ...userBody(user, url), extra: {} } })
    })
    .delete('/users/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_user')
      removeUser(context, getUser(state, c.req.param('id')).id)
      return c.body(null, 204)
    })
    .post('/users/:id/password', async (c) => {
      // No token: knowing the old password is enough.
      const given = await readEntity(c, 'user', PasswordChange)
      const user = state.users.get(c.req.param('id'))
      if (user === undefined || user.password !== given.original_password) throw unauthorized()
      updateUser(context, user, { password: given.password })
      return c.body(null, 204)
    })
    .get('/users/:id/groups', async (c) => {
      const caller = await callerToken(context, c)
      const id = c.req.param('id')
      enforce(mayReadUser(caller, id, state.users.get(id)), 'list_groups_for_user')
      getUser(state, id)
      const groups = filtered(c, state.groups.values())
        .filter((group) => group.members.has(id) || (group.expiringMembers.get(id) ?? 0) > context.now())
        .filter(({ domainId }) => caller.domain === undefined || caller.domain.id === domainId)
      const items = groups.map((group) => userGroupBody(group, id, url))
      return c.json(collection(c, 'groups', items, url))
    })
}

function newUser(given: v.InferOutput<typeof Create>): User {
  return {
    id: newId(),
    name: given.name,
    domainId: given.domain_id,
    enabled: given.enabled ?? true,
    password: given.password ?? null,
    defaultProjectId: given.default_project_id ?? null,
    email: given.email ?? null,
  }
}

function updateUser(context: RouteContext, user: User, given: v.InferOutput<typeof Update>): void {
  if (given.name !== undefined) assertNameFree(context, user, given.name)
  const revokes = given.password !== undefined || (given.enabled === false && user.enabled)
  user.name = given.name ?? user.name
  user.enabled = given.enabled ?? user.enabled
  if (given.password !== undefined) user.password = given.password
  if (given.email !== undefined) user.email = given.email
  if (given.default_project_id !== undefined) user.defaultProjectId = given.default_project_id
  // Enabling again does not bring the tokens back.
  if (revokes) revoke(context, { userId: user.id })
}

function assertNameFree({ state }: RouteContext, { id, domainId }: User, name: string): void {
  const taken = [...state.users.values()].some(
    (other) => other.id !== id && other.domainId === domainId && other.name === name,
  )
  if (taken) throw conflict('user', `Duplicate entry found with name ${name} at domain ID ${domainId}`)
}
