import { Hono } from 'hono'
import * as v from 'valibot'
import { forbidden, notFound } from './errors.ts'
import { newId } from './ids.ts'
import type { Trust } from './keystone-state.ts'
import { getProject, getTrust, getUser } from './lookup.ts'
import { readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { trustBody } from './resource-json.ts'
import { RoleReferences, roleIdsOf } from './role-references.ts'
import { effectiveRoleIds } from './roles.ts'
import { parseExpiry } from './timestamps.ts'
import { revoke, type Token } from './tokens.ts'

const Create = v.object({
  trustor_user_id: v.string(),
  trustee_user_id: v.string(),
  project_id: v.string(),
  impersonation: v.boolean(),
  roles: v.optional(RoleReferences, []),
  expires_at: v.optional(v.nullable(v.string())),
})

/** `/OS-TRUST/trusts`. Trusts without a project, redelegation and limited uses are left out. */
export function trustRoutes(context: RouteContext): Hono {
  const { state, url, now } = context
  const path = '/OS-TRUST/trusts'
  return new Hono({ strict: false })
    .post(path, async (c) => {
      const caller = await callerToken(context, c)
      const given = await readEntity(c, 'trust', Create)
      enforce(caller.actsAs.id === given.trustor_user_id, 'create_trust')
      assertNotDelegated(caller)
      const trust = newTrust(context, given)
      state.trusts.set(trust.id, trust)
      return c.json({ trust: trustBody(state, trust, url) }, 201)
    })
    .get(`${path}/:id`, async (c) => {
      const caller = await callerToken(context, c)
      const trust = getTrust(state, c.req.param('id'), now())
      const concerned = [trust.trustorId, trust.trusteeId].includes(caller.actsAs.id)
      enforce(mayReadAll(caller) || concerned, 'get_trust')
      return c.json({ trust: trustBody(state, trust, url) })
    })
    .delete(`${path}/:id`, async (c) => {
      const caller = await callerToken(context, c)
      const trust = getTrust(state, c.req.param('id'), now())
      enforce(isAdmin(caller) || caller.actsAs.id === trust.trustorId, 'delete_trust')
      assertNotDelegated(caller)
      state.trusts.delete(trust.id)
      revoke(context, { trustId: trust.id })
      return c.body(null, 204)
    })
}

function assertNotDelegated({ applicationCredential }: Token): void {
  if (applicationCredential !== undefined) throw forbidden('Delegated tokens cannot manage trusts.')
}

function newTrust({ state, now }: RouteContext, given: v.InferOutput<typeof Create>): Trust {
  if (given.roles.length === 0) throw forbidden('At least one role should be specified')
  const trusteeId = getUser(state, given.trustee_user_id).id
  const roleIds = roleIdsOf(state, given.roles)
  const projectId = getProject(state, given.project_id).id
  const held = effectiveRoleIds(state, { userId: given.trustor_user_id }, { target: 'projects', targetId: projectId })
  const missing = roleIds.find((id) => !held.has(id))
  if (missing !== undefined) throw notFound('role', missing)
  return {
    id: newId(),
    trustorId: given.trustor_user_id,
    trusteeId,
    projectId,
    impersonation: given.impersonation,
    roleIds,
    expiresAt: parseExpiry(given.expires_at, now()),
  }
}
