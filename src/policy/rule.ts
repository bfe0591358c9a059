import type { NonResourceRequest, ResourceRequest } from '../k8s/subject-access-review.ts'
import type { Principal } from './principal.ts'

/** One condition on who asks or on what is asked, prepared. `name` says which in an explanation. */
export interface Condition<T> {
  readonly name: string
  readonly holds: (subject: T) => boolean
}

/** What every format of an entry compiles to: a grant to some principals of some requests. */
export type Rule = ResourceRule | NonResourceRule

interface CommonRule {
  /** Where it stands in the document: `[3].resource_permissions["default/pods"]`. */
  readonly path: string
  /** All must hold. */
  readonly who: readonly Condition<Principal>[]
  /** Roles of which a principal needs at least one (or more) to match; `undefined` when roles do not matter. */
  readonly anyRole: readonly string[] | undefined
}

export interface ResourceRule extends CommonRule {
  readonly kind: 'resource'
  /** Namespaces that it is limited to, as requests are looked up; `undefined` when it has to be asked for every one. */
  readonly namespaces: readonly string[] | undefined
  readonly what: readonly Condition<ResourceRequest>[]
}

export interface NonResourceRule extends CommonRule {
  readonly kind: 'nonresource'
  readonly what: readonly Condition<NonResourceRequest>[]
}

/** Which language an entry is read in: `list` never grants more than k8s-keystone-auth, `object` is the wider one. */
export type Form = 'list' | 'object'
