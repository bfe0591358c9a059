import type { Exchange, RawRequest } from '../harness/raw-connection.ts'
import { accessReview, type ReviewStatus, readReviewStatus, reviewRequest, tokenReview } from '../harness/reviews.ts'
import { createRandom } from '../harness/seeded-random.ts'
import { fernetShaped } from '../harness/token-shapes.ts'
import type { People } from './people.ts'

/** A request, and what is wrong with its answer. */
export interface Ask {
  readonly kind: 'user' | 'garbage' | 'access' | 'gone'
  readonly request: RawRequest
  readonly judge: (exchange: Exchange) => string | undefined
}

/** IDENTITY_TTL_SECONDS at its default and 5 s for answers that are on their way; later a revoked token is refused. */
const REVOKED_FOR_CERTAIN_MS = 125_000

/** The policy of the run: members may read pods of their namespace. */
export const POLICY = [
  { users: { roles: ['member'], projects: ['demo'] }, resource_permissions: { 'default/pods': ['get'] } },
]

/** Reviews as a cluster sends them: 69 % of users, 20 % of requests, 10 % of garbage, 1 % of tokens that were revoked. */
export function createMix(people: People, authorization: string, seed: number): () => Ask {
  let index = 0
  return () => {
    const random = createRandom(seed, index++)
    const kind = random.next()
    const user = people.live[random.below(people.live.length)]
    const gone = people.gone[random.below(people.gone.length)]
    if (kind < 0.1) {
      // Most garbage has no token's shape; a tenth has, and must be looked up.
      const token = random.chance(0.1) ? fernetShaped(random) : `garbage-${random.below(1e9)}`
      return ask('garbage', tokenReview(token), refused)
    }
    if (kind < 0.3 || user === undefined) {
      const namespace = random.pick(['default', 'kube-system'])
      const expected = namespace === 'default'
      return ask('access', accessReview('member', namespace), (status) =>
        status.allowed === expected ? undefined : `allowed: ${status.allowed}, expected ${expected}`,
      )
    }
    if (kind < 0.31 && gone !== undefined) {
      const mustBeRefused = Date.now() - gone.atMs > REVOKED_FOR_CERTAIN_MS
      return ask('gone', tokenReview(gone.token), (status) => (mustBeRefused ? refused(status) : undefined))
    }
    return ask('user', tokenReview(user.token), ({ authenticated, error, user: said }) =>
      authenticated === true && said?.username === user.username ? undefined : `refused: ${error ?? 'a definite no'}`,
    )
  }

  function ask(kind: Ask['kind'], body: string, judgeStatus: (status: ReviewStatus) => string | undefined): Ask {
    return { kind, request: reviewRequest(authorization, body), judge: (exchange) => judge(exchange, judgeStatus) }
  }
}

function refused({ authenticated }: ReviewStatus): string | undefined {
  return authenticated === false ? undefined : 'accepted'
}

function judge(exchange: Exchange, judgeStatus: (status: ReviewStatus) => string | undefined): string | undefined {
  if (!('answer' in exchange)) return `no answer: ${exchange.failure}`
  const { status, text } = exchange.answer
  if (status !== 200) return `status ${status}`
  return judgeStatus(readReviewStatus(text))
}
