import type { UserInfo } from '../k8s/token-review.ts'
import type { Identity } from '../keystone/identity.ts'
import type { Result } from '../lib/result.ts'

/** Why a mapping does not let a valid Keystone identity in. */
export type MappingRefusal =
  | { readonly reason: 'denied'; readonly by: 'user' | 'audit_id' | 'application_credential' }
  | { readonly reason: 'not_allowed'; readonly by: 'scope' | 'domain' | 'project' }
  | { readonly reason: 'reserved_name' }

/** The reason of a refusal, as the audit line has it. */
export function refusalReason(
  refusal: MappingRefusal,
): 'denied' | 'reserved_name' | `${'scope' | 'domain' | 'project'}_not_allowed` {
  return refusal.reason === 'not_allowed' ? `${refusal.by}_not_allowed` : refusal.reason
}

/** A Kubernetes user, and how many groups were left out because they could pass as something else. */
export interface MappedUser {
  readonly user: UserInfo
  readonly leftOut: number
}

/** What turns Keystone identities into Kubernetes users. Pure: the same identity always gives the same user. */
export interface Mapping {
  /** Names the version of the mapping; answers are remembered under it. */
  readonly digest: string
  /** Memory, in units of about half a KiB. */
  readonly size: number
  /** Whether the user's Keystone groups have to be known before this identity can be mapped. */
  readsGroups(identity: Identity): boolean
  toUser(identity: Identity): Result<MappedUser, MappingRefusal>
}
