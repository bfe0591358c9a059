import { type Context, Hono } from 'hono'
import { collection } from './collection.ts'
import { type KeystoneError, notFound } from './errors.ts'
import type { Grant, State } from './keystone-state.ts'
import { getDomain, getGroup, getProject, getRole, getUser } from './lookup.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { roleBody } from './resource-json.ts'
import { rolesOf } from './roles.ts'

type Holder = Omit<Grant, 'roleId'>

/** Roles of users and groups on projects, on domains and on the system. */
export function grantRoutes(context: RouteContext): Hono {
  const app = new Hono({ strict: false })
  for (const actor of ['users', 'groups'] as const) {
    addRoutes(context, app, `/projects/:target/${actor}/:actor/roles`, (c) => holder(c, actor, 'projects'))
    addRoutes(context, app, `/domains/:target/${actor}/:actor/roles`, (c) => holder(c, actor, 'domains'))
    addRoutes(context, app, `/system/${actor}/:actor/roles`, (c) => holder(c, actor, 'system'))
  }
  return app
}

function holder(c: Context, actor: Grant['actor'], target: Grant['target']): Holder {
  return { actor, actorId: c.req.param('actor') ?? '', target, targetId: c.req.param('target') ?? 'all' }
}

function addRoutes(context: RouteContext, app: Hono, path: string, holderOf: (c: Context) => Holder): void {
  const { state, url } = context
  const roleId = (c: Context) => c.req.param('role') ?? ''
  app
    .get(path, async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_grants')
      const grants = state.grants.filter((grant) => isHeldBy(grant, holderOf(c)))
      const ids = grants.map((grant) => grant.roleId)
      const roles = rolesOf(state, ids).map((role) => roleBody(role, url))
      return c.json(collection(c, 'roles', roles, url))
    })
    .put(`${path}/:role`, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_grant')
      const grant = existing(state, holderOf(c), roleId(c))
      if (find(state, grant) === undefined) state.grants.push(grant)
      return c.body(null, 204)
    })
    .get(`${path}/:role`, async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'check_grant')
      const grant = existing(state, holderOf(c), roleId(c))
      if (find(state, grant) === undefined) throw noGrant(grant)
      return c.body(null, 204)
    })
    .delete(`${path}/:role`, async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'revoke_grant')
      const grant = existing(state, holderOf(c), roleId(c))
      const found = find(state, grant)
      if (found === undefined) throw noGrant(grant)
      state.grants.splice(state.grants.indexOf(found), 1)
      return c.body(null, 204)
    })
}

/** The grant, if everything that it names exists. @throws KeystoneError 404 */
function existing(state: State, of: Holder, roleId: string): Grant {
  getRole(state, roleId)
  if (of.actor === 'users') getUser(state, of.actorId)
  else getGroup(state, of.actorId)
  if (of.target === 'projects') getProject(state, of.targetId)
  if (of.target === 'domains') getDomain(state, of.targetId)
  return { ...of, roleId }
}

function isHeldBy(grant: Grant, { actor, actorId, target, targetId }: Holder): boolean {
  return grant.actor === actor && grant.actorId === actorId && grant.target === target && grant.targetId === targetId
}

function find(state: State, wanted: Grant): Grant | undefined {
  return state.grants.find((grant) => grant.roleId === wanted.roleId && isHeldBy(grant, wanted))
}

function noGrant({ roleId, actorId, targetId }: Grant): KeystoneError {
  return notFound(
    'role assignment with role',
    `${roleId}, user or group: ${actorId}, project, domain, or system: ${targetId}`,
  )
}
