import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, KeystoneError } from './errors.ts'
import { newId } from './ids.ts'
import type { Group } from './keystone-state.ts'
import { getDomain, getGroup, getUser } from './lookup.ts'
import { removeGroup } from './remove.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { groupBody, userBody } from './resource-json.ts'

const Update = v.object({ name: v.optional(nameSchema(64)), description: v.optional(v.string()) })
const Create = v.object({
  name: nameSchema(64),
  domain_id: v.optional(v.string(), 'default'),
  description: v.optional(v.string(), ''),
})

/** `/groups` and their members. */
export function groupRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/groups', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_groups')
      const groups = filtered(c, state.groups.values()).map((group) => groupBody(group, url))
      return c.json(collection(c, 'groups', groups, url))
    })
    .post('/groups', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_group')
      const { domain_id: domainId, ...given } = await readEntity(c, 'group', Create)
      getDomain(state, domainId)
      const group: Group = { id: newId(), domainId, members: new Set(), expiringMembers: new Map(), ...given }
      assertNameFree(context, group, group.name)
      state.groups.set(group.id, group)
      return c.json({ group: groupBody(group, url) }, 201)
    })
    .get('/groups/:id', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'get_group')
      return c.json({ group: groupBody(getGroup(state, c.req.param('id')), url) })
    })
    .patch('/groups/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_group')
      const group = getGroup(state, c.req.param('id'))
      const given = await readEntity(c, 'group', Update)
      if (given.name !== undefined) assertNameFree(context, group, given.name)
      Object.assign(group, given)
      return c.json({ group: groupBody(group, url) })
    })
    .delete('/groups/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_group')
      removeGroup(state, getGroup(state, c.req.param('id')).id)
      return c.body(null, 204)
    })
    .route('/', memberRoutes(context))
}

function memberRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/groups/:id/users', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_users_in_group')
      const { members } = getGroup(state, c.req.param('id'))
      const users = filtered(c, state.users.values()).filter(({ id }) => members.has(id))
      return c.json(
        collection(
          c,
          'users',
          users.map((user) => userBody(user, url)),
          url,
        ),
      )
    })
    .put('/groups/:id/users/:userId', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'add_user_to_group')
      getGroup(state, c.req.param('id')).members.add(getUser(state, c.req.param('userId')).id)
      return c.body(null, 204)
    })
    .get('/groups/:id/users/:userId', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'check_user_in_group')
      const { id, userId } = c.req.param()
      if (!getGroup(state, id).members.has(userId)) throw notAMember(userId, id)
      return c.body(null, 204)
    })
    .delete('/groups/:id/users/:userId', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'remove_user_from_group')
      const { id, userId } = c.req.param()
      if (!getGroup(state, id).members.delete(userId)) throw notAMember(userId, id)
      return c.body(null, 204)
    })
}

function notAMember(userId: string, groupId: string): KeystoneError {
  return new KeystoneError(404, `User '${userId}' not found in group '${groupId}'.`)
}

function assertNameFree({ state }: RouteContext, { id, domainId }: Group, name: string): void {
  const taken = [...state.groups.values()].some(
    (other) => other.id !== id && other.domainId === domainId && other.name === name,
  )
  if (taken) throw conflict('group', `Duplicate entry found with name ${name} at domain ID ${domainId}`)
}
