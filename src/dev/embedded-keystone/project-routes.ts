import { Hono } from 'hono'
import * as v from 'valibot'
import { collection, filtered } from './collection.ts'
import { conflict, KeystoneError } from './errors.ts'
import { newId } from './ids.ts'
import type { Project } from './keystone-state.ts'
import { getProject } from './lookup.ts'
import { removeProject } from './remove.ts'
import { nameSchema, readEntity } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { projectBody } from './resource-json.ts'

const Update = v.object({
  name: v.optional(nameSchema(64)),
  description: v.optional(v.string()),
  enabled: v.optional(v.boolean()),
})
const Create = v.object({
  name: nameSchema(64),
  domain_id: v.optional(v.string(), 'default'),
  description: v.optional(v.string(), ''),
  enabled: v.optional(v.boolean(), true),
})

/** `/projects`. */
export function projectRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .get('/projects', async (c) => {
      enforce(mayReadAll(await callerToken(context, c)), 'list_projects')
      const projects = filtered(c, state.projects.values()).map((project) => projectBody(project, url))
      return c.json(collection(c, 'projects', projects, url))
    })
    .post('/projects', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'create_project')
      const { domain_id: domainId, ...given } = await readEntity(c, 'project', Create)
      // 400, where users and groups get 404.
      if (!state.domains.has(domainId)) throw new KeystoneError(400, `Could not find domain: ${domainId}.`)
      const project: Project = { id: newId(), domainId, ...given }
      assertNameFree(context, project, project.name)
      state.projects.set(project.id, project)
      return c.json({ project: projectBody(project, url) }, 201)
    })
    .get('/projects/:id', async (c) => {
      const caller = await callerToken(context, c)
      const project = getProject(state, c.req.param('id'))
      enforce(mayReadAll(caller) || caller.project === project, 'get_project')
      return c.json({ project: projectBody(project, url) })
    })
    .patch('/projects/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'update_project')
      const project = getProject(state, c.req.param('id'))
      const given = await readEntity(c, 'project', Update)
      if (given.name !== undefined) assertNameFree(context, project, given.name)
      // Disabling leaves no revocation event: enabled again, the project's tokens hold again.
      Object.assign(project, given)
      return c.json({ project: { ...projectBody(project, url), extra: {} } })
    })
    .delete('/projects/:id', async (c) => {
      enforce(isAdmin(await callerToken(context, c)), 'delete_project')
      removeProject(context, getProject(state, c.req.param('id')).id)
      return c.body(null, 204)
    })
}

function assertNameFree({ state }: RouteContext, { id, domainId }: Project, name: string): void {
  const taken = [...state.projects.values()].some(
    (other) => other.id !== id && other.domainId === domainId && other.name === name,
  )
  if (taken) {
    const reason =
      'it is not permitted to have two projects with either the same name or same id in the same domain: name is'
    throw conflict('project', `${reason} ${name}, project id ${id}`)
  }
}
