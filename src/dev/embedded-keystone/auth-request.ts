import * as v from 'valibot'
import { badRequest, expecting } from './errors.ts'

const DomainReference = v.union([v.object({ id: v.string() }), v.object({ name: v.string() })])

/** By id, or by a name and its domain. */
const Reference = v.object({
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  domain: v.optional(DomainReference),
})

const Mapped = v.object({ identity_provider: v.string(), protocol: v.string() })

const Identity = v.object({
  methods: v.array(v.string()),
  password: v.optional(v.object({ user: v.object({ ...Reference.entries, password: v.string() }) })),
  token: v.optional(v.object({ id: v.string() })),
  mapped: v.optional(Mapped),
  openid: v.optional(Mapped),
  application_credential: v.optional(
    v.object({
      id: v.optional(v.string()),
      name: v.optional(v.string()),
      secret: v.string(),
      user: v.optional(Reference),
    }),
  ),
})

const SCOPES = ['system', 'project', 'domain', 'OS-TRUST:trust', 'unscoped'] as const

const Scope = v.union([
  v.literal('unscoped'),
  v.object({
    project: v.optional(Reference),
    domain: v.optional(Reference),
    system: v.optional(v.object({ all: v.literal(true) })),
    'OS-TRUST:trust': v.optional(v.object({ id: v.string() })),
    unscoped: v.optional(v.object({})),
  }),
])

const AuthRequest = v.object({ identity: Identity, scope: v.optional(Scope) })

/** A user or project as a request names it. */
export type EntityReference = v.InferOutput<typeof Reference>

/** The body of `POST /v3/auth/tokens`, checked. */
export type AuthRequest = v.InferOutput<typeof AuthRequest>

/** The request in a body. @throws KeystoneError 400 */
export function parseAuthRequest(body: Record<string, unknown>): AuthRequest {
  if (body.auth === undefined) throw expecting('auth', 'request body')
  const parsed = v.safeParse(AuthRequest, body.auth)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw badRequest(`Invalid input for field '${v.getDotPath(issue) ?? 'auth'}'.`)
  }
  const { identity, scope } = parsed.output
  for (const method of identity.methods) {
    if (!(method in identity)) throw expecting(method, 'identity')
  }
  if (scope !== undefined && scope !== 'unscoped' && SCOPES.filter((name) => name in scope).length !== 1) {
    throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  }
  return parsed.output
}
