import { type Context, Hono } from 'hono'
import { collection } from './collection.ts'
import { forbidden, invalidToken } from './errors.ts'
import { assertionOf } from './federated-user.ts'
import { issueToken } from './issue-token.ts'
import { readObject } from './request-body.ts'
import { callerToken, enforce, isAdmin, mayReadAll, type RouteContext } from './require-token.ts'
import { projectBody } from './resource-json.ts'
import { effectiveRoleIds } from './roles.ts'
import { tokenBody } from './token-body.ts'
import { revoke, type Token, validateToken } from './tokens.ts'

/** `/auth/tokens`: issue, validate, revoke. `/auth/projects`: what a token may be rescoped to. */
export function authRoutes(context: RouteContext): Hono {
  const { state, url } = context
  return new Hono({ strict: false })
    .post('/auth/tokens', async (c) => {
      const token = await issueToken(context, await readObject(c), assertionOf(c))
      const expiresAt = credentialExpiry(token)
      const options = { url, withCatalog: withCatalog(c), ...(expiresAt !== undefined && { expiresAt }) }
      return c.json(tokenBody(state, token, options), 201, { 'X-Subject-Token': token.id, Vary: 'X-Auth-Token' })
    })
    .get('/auth/tokens', async (c) => {
      const { caller, subject } = await readTokens(context, c)
      enforce(mayReadAll(caller) || isSubject(caller, subject), 'validate_token')
      if (subject === undefined) throw invalidToken('No token in the request')
      const body = tokenBody(state, subject, { url, withCatalog: withCatalog(c) })
      return c.json(body, 200, { 'X-Subject-Token': subject.id, Vary: 'X-Auth-Token' })
    })
    .delete('/auth/tokens', async (c) => {
      const { caller, subject } = await readTokens(context, c)
      enforce(isAdmin(caller) || isSubject(caller, subject), 'revoke_token')
      const auditId = subject?.payload.auditIds[0]
      if (auditId === undefined) throw forbidden()
      revoke(context, { auditId })
      return c.body(null, 204)
    })
    .get('/auth/projects', async (c) => {
      const { payload } = await callerToken(context, c)
      const projects = [...state.projects.values()].filter(
        ({ id, enabled }) => enabled && effectiveRoleIds(state, payload, { target: 'projects', targetId: id }).size > 0,
      )
      const items = projects.map((project) => projectBody(project, url))
      return c.json(collection(c, 'projects', items, url))
    })
    .all('/auth/tokens', (c) => c.json({ message: 'The method is not allowed for the requested URL.' }, 405))
}

async function readTokens(context: RouteContext, c: Context): Promise<{ caller: Token; subject: Token | undefined }> {
  const caller = await callerToken(context, c)
  const id = c.req.header('X-Subject-Token')
  const rules = c.req.header('OpenStack-Identity-Access-Rules')
  return { caller, subject: id ? await validateToken(context, id, rules) : undefined }
}

/**
 * The rule `token_subject`. The two sides differ for an impersonating trust: the caller is the trustor, the token's
 * user the trustee, so such a token cannot validate itself (observed).
 */
function isSubject(caller: Token, subject: Token | undefined): boolean {
  return subject !== undefined && caller.actsAs.id === subject.user.id
}

function withCatalog(c: Context): boolean {
  return c.req.query('nocatalog') === undefined
}

/** A token cut short by its application credential shows that expiry without fraction and zone, when issued (observed). */
function credentialExpiry({ payload, applicationCredential }: Token): string | undefined {
  const limit = applicationCredential?.expiresAt
  if (limit == null || limit / 1000 !== payload.expiresAt) return undefined
  return new Date(limit).toISOString().slice(0, 19)
}
