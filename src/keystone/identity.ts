import * as v from 'valibot'

const Domain = v.object({ id: v.string(), name: v.string() })
const Role = v.object({ id: v.string(), name: v.string() })
const Group = v.object({ id: v.string(), name: v.optional(v.string()), domainId: v.optional(v.string()) })

/**
 * What Keystone says about a token, as the cache keeps it and the mapping reads it. Plain data: Keystone's names are
 * hostile input here, and become Kubernetes names only through a mapping.
 */
export const IdentitySchema = v.object({
  user: v.object({ id: v.string(), name: v.string(), domain: Domain }),
  scope: v.variant('kind', [
    v.object({ kind: v.literal('project'), id: v.string(), name: v.string(), domain: Domain }),
    v.object({ kind: v.literal('domain'), id: v.string(), name: v.string() }),
    v.object({ kind: v.literal('system') }),
    v.object({ kind: v.literal('unscoped') }),
  ]),
  roles: v.array(Role),
  methods: v.array(v.string()),
  auditIds: v.array(v.string()),
  applicationCredentialId: v.optional(v.string()),
  trustId: v.optional(v.string()),
  /** The identity provider of a federated user (OS-FEDERATION). Users of one provider can have equal names. */
  identityProvider: v.optional(v.string()),
  /**
   * `not_read`: no mapping asked for them yet; `refused`: Keystone does not show them to this token (403 or 404). A group
   * that only a federated user's token lists has no name.
   */
  groups: v.union([v.literal('not_read'), v.literal('refused'), v.array(Group)]),
  /** The token's own end, milliseconds since the epoch. */
  expiresAtMs: v.number(),
})

export type Identity = v.InferOutput<typeof IdentitySchema>
export type KeystoneGroup = v.InferOutput<typeof Group>
