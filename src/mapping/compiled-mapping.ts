import type { Identity } from '../keystone/identity.ts'
import type { Admit } from './admission.ts'
import type { Condition } from './conditions.ts'
import type { Mapping } from './mapping.ts'
import type { Naming } from './names.ts'
import type { Owns } from './ownership.ts'
import type { Template } from './template.ts'

/** A rule or a role mapping, prepared. */
export interface CompiledRule {
  /** Where it stands in the document: `rules[3]`. */
  readonly path: string
  readonly conditions: readonly Condition[]
  /** Which of the user's roles `{role}` stands for. */
  readonly isRole: (role: Identity['roles'][number]) => boolean
  readonly groups: readonly Template[]
  readonly username: Template | undefined
}

/** The user's name, by the last of the matched rules that has one; `undefined` refuses the login. */
export type RenderUsername = (identity: Identity, matched: readonly CompiledRule[]) => string | undefined

/** A mapping with its parts, for `explain`. */
export interface CompiledMapping extends Mapping {
  readonly naming: Naming
  readonly admit: Admit
  /** `role-mappings`, then `rules`: the order in which they apply. */
  readonly rules: readonly CompiledRule[]
  readonly keystoneGroups: boolean
  readonly projectGroup: boolean
  readonly groupPrefix: string
  /** Groups that the document names as they are: no name from Keystone may become one of them. */
  readonly literalGroups: ReadonlySet<string>
  /** Which of the document's groups with placeholders a rendered text belongs to. */
  readonly ownsGroup: Owns
  readonly renderUsername: RenderUsername
}
