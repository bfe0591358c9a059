import type { Policy } from '../../../policy/decide.ts'
import { type Differences, sortByHarm, type Weighed } from './difference.ts'
import type { PolicyPrincipal } from './policy-principals.ts'
import { type AccessRequest, describeRequest, harmOfRequest } from './policy-requests.ts'

/** Beyond this many pairs of principal and request, each principal is asked for the requests of its own entries only. */
const MAX_PAIRS = 200_000

/** Who of the principals gains or loses which permissions. */
export function diffPolicies(before: Policy, after: Policy, principals: readonly PolicyPrincipal[]): Differences {
  const gained: Weighed[] = []
  const lost: Weighed[] = []
  for (const { principal, request } of toPairs(principals)) {
    const attributes = { ...principal.asker, request }
    const old = before.decide(attributes).decision
    const now = after.decide(attributes).decision
    if (old === now) continue
    const permission = describeRequest(request)
    // Between a deny and no opinion: whether RBAC is asked at all.
    const isAllow = old === 'allow' || now === 'allow'
    const difference = {
      principal: principal.label,
      permission: isAllow ? permission : `${permission}, if RBAC allows it`,
    }
    const isGain = now === 'allow' || (now === 'no_opinion' && old === 'deny')
    const list = isGain ? gained : lost
    list.push({ harm: harmOfRequest(request), difference })
  }
  return { gained: sortByHarm(gained), lost: sortByHarm(lost) }
}

function* toPairs(
  principals: readonly PolicyPrincipal[],
): Generator<{ principal: PolicyPrincipal; request: AccessRequest }> {
  const askers = unique(principals, ({ asker }) => asker)
  const requests = unique(
    principals.flatMap((one) => one.requests),
    (request) => request,
  )
  if (askers.length * requests.length > MAX_PAIRS) {
    for (const principal of principals) for (const request of principal.requests) yield { principal, request }
    return
  }
  for (const principal of askers) for (const request of requests) yield { principal, request }
}

function unique<T>(all: readonly T[], keyOf: (one: T) => unknown): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(keyOf(one)), one])).values()]
}
