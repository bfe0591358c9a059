import { toSha256 } from '../cache/fingerprint.ts'
import type { Documents } from '../documents/registry.ts'
import type { TokenReview } from '../k8s/token-review.ts'
import { isTokenText } from '../keystone/token-format.ts'
import type { Clock } from '../lib/clock.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { Authenticators, StaticUser } from '../mapping/authenticators.ts'
import type { Answer } from '../telemetry/audit.ts'
import { basicUserOf } from './basic-authenticator.ts'
import type { Asked, Authenticator, KeystoneAuthenticator } from './keystone-authenticator.ts'
import { answerVerdict } from './verdict.ts'

interface TokenAuthenticatorDeps {
  readonly documents: Pick<Documents, 'authenticators'>
  readonly keystone: KeystoneAuthenticator
  readonly basic: Authenticator
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Chooses who answers for a token: a token that a static entry names is that user; a token of the form `user:password`
 * is HTTP Basic's; every other token is Keystone's. A token reaches exactly one of them.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #deps: TokenAuthenticatorDeps

  constructor(deps: TokenAuthenticatorDeps) {
    this.#deps = deps
  }

  /** Refreshes the documents that the review needs. The promise, if any, is what the review waits for. */
  refresh(review: TokenReview, asked: Asked): Promise<unknown> | undefined {
    const authenticators = this.#deps.documents.authenticators.refresh(asked.cluster, asked.ctx)
    const keystone = this.#deps.keystone.refresh(review, asked)
    return authenticators || keystone ? Promise.all([authenticators, keystone]) : undefined
  }

  peek(review: TokenReview, asked: Asked): Answer | undefined {
    // First, so that a token of Keystone that is in memory is never hashed.
    const known = this.#deps.keystone.peekKnown(review, asked)
    if (known !== undefined) return known
    const { source, value } = this.#deps.documents.authenticators.state(asked.cluster)
    // The token may be a static one.
    if (value === undefined && source === 'unreadable') return answerVerdict(review, { reason: 'authenticators' })
    if (value !== undefined && value.staticUsers.size > 0) return undefined
    return this.#ofForm(review.token).peek(review, asked)
  }

  async authenticate(review: TokenReview, asked: Asked): Promise<Answer> {
    const authenticators = this.#deps.documents.authenticators.state(asked.cluster).value
    const found = authenticators && (await findStatic(review.token, authenticators))
    if (found !== undefined) return this.#answerStatic(review, found)
    const authenticator = this.#ofForm(review.token)
    return authenticator.peek(review, asked) ?? authenticator.authenticate(review, asked)
  }

  /** By the form alone; a colon is in no token of Keystone. */
  #ofForm(token: Token): Authenticator {
    const isBasic = isTokenText(token) && basicUserOf(token) !== undefined
    return isBasic ? this.#deps.basic : this.#deps.keystone
  }

  #answerStatic(review: TokenReview, { user, expiresAtMs }: StaticUser): Answer {
    const isExpired = expiresAtMs !== undefined && this.#deps.clock.now() >= expiresAtMs
    const verdict = isExpired
      ? ({ reason: 'expired' } as const)
      : ({ reason: 'authenticated', user, leftOut: 0 } as const)
    const { body, record } = answerVerdict(review, verdict)
    return { body, record: { ...record, source: 'static' } }
  }
}

async function findStatic(token: Token, { staticUsers }: Authenticators): Promise<StaticUser | undefined> {
  if (staticUsers.size === 0 || !isTokenText(token)) return undefined
  return staticUsers.get(await toSha256(revealToken(token)))
}
