import type { Policy } from '../../../policy/decide.ts'
import { usageError } from '../command-error.ts'
import { type Differences, sortByHarm, type Weighed } from './difference.ts'
import type { PolicyPrincipal } from './policy-principals.ts'
import { type AccessRequest, describeRequest, harmOfRequest } from './policy-requests.ts'

/** Beyond this many decisions, each principal is asked for the requests of its own entries only. */
const MAX_DECISIONS = 200_000
/** Principals without entries of their own are asked for all requests, or for none. */
const MOST_DECISIONS = 2_000_000

interface Options {
  /** Users with equal `extra` may do the same: neither document asks for names of users or groups. */
  readonly areNamesEqual?: boolean
  /** More requests than those of the principals. */
  readonly requests?: readonly AccessRequest[]
}

/** Who of the principals gains or loses which permissions. More than can be compared ends the command. */
export function diffPolicies(
  before: Policy,
  after: Policy,
  principals: readonly PolicyPrincipal[],
  options: Options = {},
): Differences {
  const gained: Weighed[] = []
  const lost: Weighed[] = []
  for (const { askers, requests } of toQuestions(principals, options))
    for (const request of requests) {
      const [asker] = askers
      if (asker === undefined) continue
      const old = before.decide({ ...asker.asker, request }).decision
      const now = after.decide({ ...asker.asker, request }).decision
      if (old === now) continue
      const isGain = now === 'allow' || (now === 'no_opinion' && old === 'deny')
      // Between a deny and no opinion: whether RBAC is asked at all.
      const condition = old === 'allow' || now === 'allow' ? '' : ', if RBAC allows it'
      const permission = `${describeRequest(request)}${condition}`
      const list = isGain ? gained : lost
      const harm = harmOfRequest(request)
      for (const { label } of askers) list.push({ harm, difference: { principal: label, permission } })
    }
  return { gained: sortByHarm(gained), lost: sortByHarm(lost) }
}

interface Question {
  /** Principals for whom every answer is the same. */
  readonly askers: readonly PolicyPrincipal[]
  readonly requests: readonly AccessRequest[]
}

function toQuestions(
  principals: readonly PolicyPrincipal[],
  { areNamesEqual = false, requests: more = [] }: Options,
): readonly Question[] {
  const groups = new Map<string, PolicyPrincipal[]>()
  for (const principal of unique(principals, ({ label, asker }) => [label, asker])) {
    const { extra, groups: own } = principal.asker
    // Groups of Kubernetes' own are never denied.
    const seen = areNamesEqual ? [extra, own.filter((group) => group.startsWith('system:'))] : principal.asker
    const key = JSON.stringify(seen)
    const equal = groups.get(key)
    if (equal === undefined) groups.set(key, [principal])
    else equal.push(principal)
  }
  const requests = unique([...principals.flatMap((one) => one.requests), ...more], (request) => request)
  const decisions = groups.size * requests.length
  const isKnown = principals.every((one) => one.requests.length > 0)
  if (decisions <= (isKnown ? MAX_DECISIONS : MOST_DECISIONS))
    return [...groups.values()].map((askers) => ({ askers, requests }))
  if (isKnown) return principals.map((principal) => ({ askers: [principal], requests: principal.requests }))
  throw usageError(
    `${principals.length} users and ${requests.length} requests are too many to compare`,
    'give some of the users with --facts',
  )
}

function unique<T>(all: readonly T[], keyOf: (one: T) => unknown): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(keyOf(one)), one])).values()]
}
