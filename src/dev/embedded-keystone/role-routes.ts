import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, KeystoneError } from './errors.ts'
import { newId } from './ids.ts'
import type { Role } from './keystone-state.ts'
import { getRole } from './lookup.ts'
import { removeRole } from './remove.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { roleBody } from './resource-json.ts'

const Update = v.object({ name: v.optional(nameSchema(255)), description: v.optional(v.nullable(v.string())) })
const Create = v.object({ name: nameSchema(255), description: v.optional(v.nullable(v.string()), null) })

/** `/roles`. */
export function roleRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/roles', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_roles')
      const roles = filtered(c, state.roles.values()).map((role) => roleBody(role, url))
      return c.json(collection(c, 'roles', roles, url))
    })
    .post('/roles', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_role')
      const given = await readEntity(c, 'role', Create)
      assertNameFree(context, given.name)
      const role: Role = { id: newId(), immutable: false, ...given }
      state.roles.set(role.id, role)
      return c.json({ role: roleBody(role, url) }, 201)
    })
    .get('/roles/:id', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'get_role')
      return c.json({ role: roleBody(getRole(state, c.req.param('id')), url) })
    })
    .patch('/roles/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_role')
      const role = getRole(state, c.req.param('id'))
      assertMutable(role, 'update')
      const given = await readEntity(c, 'role', Update)
      if (given.name !== undefined && given.name !== role.name) assertNameFree(context, given.name)
      Object.assign(role, given)
      return c.json({ role: roleBody(role, url) })
    })
    .delete('/roles/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_role')
      const role = getRole(state, c.req.param('id'))
      assertMutable(role, 'delete')
      removeRole(state, role.id)
      return c.body(null, 204)
    })
}

function assertMutable(role: Role, action: 'update' | 'delete'): void {
  if (role.immutable) {
    const advice = 'Set resource option "immutable" to false first.'
    throw new KeystoneError(403, `Unable to ${action} immutable role resource: \`${role.id}. ${advice}`)
  }
}

function assertNameFree({ state }: RouteContext, name: string): void {
  if ([...state.roles.values()].some((role) => role.name === name)) {
    throw conflict('role', `Duplicate entry found with name ${name}`)
  }
}
