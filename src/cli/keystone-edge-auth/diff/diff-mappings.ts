import type { CompiledMapping } from '../../../mapping/compiled-mapping.ts'
import { toIdentity } from '../../../mapping/mapping-examples.ts'
import { looksLikeSystemName } from '../../../mapping/names.ts'
import { type Difference, type Differences, sortByHarm, type Weighed } from './difference.ts'
import type { MappingPrincipal } from './mapping-principals.ts'

/** Who of the principals gains or loses which groups, or logs in under another name or not at all. */
export function diffMappings(
  before: CompiledMapping,
  after: CompiledMapping,
  principals: readonly MappingPrincipal[],
): Differences {
  const gained: Weighed[] = []
  const lost: Weighed[] = []
  for (const { label, facts } of principals) {
    const old = grantsOf(before, label, facts)
    const now = grantsOf(after, label, facts)
    for (const [key, one] of now) if (!old.has(key)) gained.push(one)
    for (const [key, one] of old) if (!now.has(key)) lost.push(one)
  }
  return { gained: sortByHarm(gained), lost: sortByHarm(lost) }
}

function grantsOf(
  mapping: CompiledMapping,
  principal: string,
  facts: MappingPrincipal['facts'],
): ReadonlyMap<string, Weighed> {
  const identity = 'expiresAtMs' in facts ? facts : toIdentity(facts, mapping.naming.homeDomain)
  const mapped = mapping.toUser(identity)
  if (!mapped.ok) return new Map()
  const { username, groups } = mapped.value.user
  const differences: Difference[] = [
    { principal, permission: `log in as ${username}` },
    ...groups.map((group) => ({ principal, group })),
  ]
  return new Map(
    differences.map((difference) => [JSON.stringify(difference), { harm: harmOf(difference), difference }]),
  )
}

function harmOf(difference: Difference): number {
  if (!('group' in difference)) return 60
  if (difference.group === 'system:masters') return 100
  if (looksLikeSystemName(difference.group)) return 90
  return /admin|root|owner|operator/i.test(difference.group) ? 70 : 10
}
