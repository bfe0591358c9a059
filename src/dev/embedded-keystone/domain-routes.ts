import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, KeystoneError } from './errors.ts'
import { newId } from './ids.ts'
import type { Domain } from './keystone-state.ts'
import { getDomain } from './lookup.ts'
import { removeDomain } from './remove.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { domainBody } from './resource-json.ts'

const Update = v.object({
  name: v.optional(nameSchema(64)),
  description: v.optional(v.string()),
  enabled: v.optional(v.boolean()),
})
const Create = v.object({
  name: nameSchema(64),
  description: v.optional(v.string(), ''),
  enabled: v.optional(v.boolean(), true),
})

/** `/domains`. */
export function domainRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/domains', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_domains')
      const domains = filtered(c, state.domains.values()).map((domain) => domainBody(domain, url))
      return c.json(collection(c, 'domains', domains, url))
    })
    .post('/domains', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_domain')
      const given = await readEntity(c, 'domain', Create)
      assertNameFree(context, given.name)
      const domain: Domain = { id: newId(), ...given }
      state.domains.set(domain.id, domain)
      return c.json({ domain: domainBody(domain, url) }, 201)
    })
    .get('/domains/:id', async (c) => {
      const caller = await callerToken(context, c)
      const domain = getDomain(state, c.req.param('id'))
      const own = caller.domain ?? (caller.project && state.domains.get(caller.project.domainId))
      enforce(mayReadAll(caller) || own === domain, 'get_domain')
      return c.json({ domain: domainBody(domain, url) })
    })
    .patch('/domains/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_domain')
      const domain = getDomain(state, c.req.param('id'))
      const given = await readEntity(c, 'domain', Update)
      if (given.name !== undefined && given.name !== domain.name) assertNameFree(context, given.name)
      Object.assign(domain, given)
      return c.json({ domain: domainBody(domain, url) })
    })
    .delete('/domains/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_domain')
      const domain = getDomain(state, c.req.param('id'))
      if (domain.enabled) {
        throw new KeystoneError(403, 'Cannot delete a domain that is enabled, please disable it first.')
      }
      removeDomain(context, domain)
      return c.body(null, 204)
    })
}

function assertNameFree({ state }: RouteContext, name: string): void {
  if ([...state.domains.values()].some((domain) => domain.name === name)) {
    throw conflict('project', `it is not permitted to have two projects acting as domains with the same name: ${name}`)
  }
}
