import type { Identity } from '../keystone/identity.ts'
import type { Result } from '../lib/result.ts'
import type { CompiledMapping } from './compiled-mapping.ts'
import type { Condition } from './conditions.ts'
import { collectGroups, type LeftOut } from './groups.ts'
import type { MappedUser, MappingRefusal } from './mapping.ts'

/** What a mapping makes of an identity, and why. */
interface MappingExplanation {
  readonly result: Result<MappedUser, MappingRefusal>
  /** Every rule in the order of evaluation. `failed` is the first condition of the rule that did not hold. */
  readonly rules: readonly { readonly path: string; readonly applied: boolean; readonly failed?: Condition['name'] }[]
  readonly leftOut: readonly LeftOut[]
}

/** Explains a mapping for one identity. Reviews never do this work. */
export function explainMapping(mapping: CompiledMapping, identity: Identity): MappingExplanation {
  const rules = mapping.rules.map(({ path, conditions }) => {
    const failed = conditions.find((condition) => !condition.holds(identity))
    return failed === undefined ? { path, applied: true } : { path, applied: false, failed: failed.name }
  })
  const matched = mapping.rules.filter((_, index) => rules[index]?.applied)
  return { result: mapping.toUser(identity), rules, leftOut: collectGroups(mapping, identity, matched).leftOut }
}
