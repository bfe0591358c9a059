import * as v from 'valibot'
import { err, ok, type Result } from '../lib/result.ts'
import type { Identity, KeystoneGroup } from './identity.ts'

// Keystone answers with more than is read here (catalog, flags of newer releases); what is read must be as documented.
const Id = v.pipe(v.string(), v.nonEmpty())
export const Named = v.object({ id: Id, name: v.string() })
/** A time of the Identity API, as epoch milliseconds. */
export const Timestamp = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/),
  v.transform((text) => Date.parse(text)),
  v.finite(),
)
const FederatedProvider = v.object({ id: Id })
const FederatedGroup = v.object({ id: Id, name: v.optional(v.string()) })

const TokenAnswer = v.object({
  token: v.object({
    methods: v.array(v.string()),
    user: v.object({
      ...Named.entries,
      domain: Named,
      'OS-FEDERATION': v.optional(v.object({ identity_provider: FederatedProvider, groups: v.array(FederatedGroup) })),
    }),
    audit_ids: v.array(v.string()),
    expires_at: Timestamp,
    project: v.optional(v.object({ ...Named.entries, domain: Named })),
    domain: v.optional(Named),
    system: v.optional(v.object({ all: v.literal(true) })),
    roles: v.optional(v.array(Named)),
    application_credential: v.optional(v.object({ id: Id, access_rules: v.optional(v.unknown()) })),
    'OS-TRUST:trust': v.optional(v.object({ id: Id })),
  }),
})
type KeystoneToken = v.InferOutput<typeof TokenAnswer>['token']

const GroupsAnswer = v.object({
  groups: v.array(v.object({ id: Id, name: v.string(), domain_id: v.string() })),
})

/** What a token says: the identity, whose groups are `not_read`, and the groups that a federated user's token lists. */
export interface DecodedToken {
  readonly identity: Identity
  readonly federatedGroups: readonly KeystoneGroup[]
}

/**
 * Reads the answer of `GET /auth/tokens` (Identity API v3). `malformed`: not such an answer, so nothing is known;
 * `access_rules`: a token that Keystone restricts to certain API calls, which nothing here could enforce.
 */
export function decodeTokenAnswer(body: unknown): Result<DecodedToken, 'malformed' | 'access_rules'> {
  const parsed = v.safeParse(TokenAnswer, body)
  if (!parsed.success) return err('malformed')
  const token = parsed.output.token
  const scope = toScope(token)
  if (scope === undefined || !isPathSegment(token.user.id)) return err('malformed')
  const credential = token.application_credential
  if (credential?.access_rules !== undefined && credential.access_rules !== null) return err('access_rules')
  const federation = token.user['OS-FEDERATION']
  const identity: Identity = {
    user: { id: token.user.id, name: token.user.name, domain: token.user.domain },
    scope,
    roles: token.roles ?? [],
    methods: token.methods,
    auditIds: token.audit_ids,
    ...(credential && { applicationCredentialId: credential.id }),
    ...(token['OS-TRUST:trust'] && { trustId: token['OS-TRUST:trust'].id }),
    ...(federation && { identityProvider: federation.identity_provider.id }),
    groups: 'not_read',
    expiresAtMs: token.expires_at,
  }
  return ok({ identity, federatedGroups: federation?.groups ?? [] })
}

/** Exactly one scope or none; a scoped token always lists its roles. */
function toScope(token: KeystoneToken): Identity['scope'] | undefined {
  const { project, domain, system, roles } = token
  const scopes = [project, domain, system].filter((scope) => scope !== undefined)
  if (scopes.length === 0) return { kind: 'unscoped' }
  if (scopes.length > 1 || roles === undefined) return undefined
  if (project) return { kind: 'project', ...project }
  return domain ? { kind: 'domain', ...domain } : { kind: 'system' }
}

/**
 * Whether an id can be part of a path. `.` and `..` survive every encoding of a path segment: the groups of such a user
 * would be asked of another URL. Half a surrogate pair cannot be encoded at all.
 */
function isPathSegment(id: string): boolean {
  return id !== '.' && id !== '..' && id.isWellFormed()
}

/** Reads the answer of `GET /users/{id}/groups`; `undefined` when it is not one. */
export function decodeGroupsAnswer(body: unknown): KeystoneGroup[] | undefined {
  const parsed = v.safeParse(GroupsAnswer, body)
  if (!parsed.success) return undefined
  return parsed.output.groups.map((group) => ({ id: group.id, name: group.name, domainId: group.domain_id }))
}
