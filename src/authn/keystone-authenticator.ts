import type { FoundIdentity, IdentityCache, Query } from '../cache/identity-cache.ts'
import type { Documents } from '../documents/registry.ts'
import { EXTRA } from '../k8s/keystone-extra.ts'
import type { TokenReview } from '../k8s/token-review.ts'
import type { Identity } from '../keystone/identity.ts'
import { recogniseTokenFormat } from '../keystone/token-format.ts'
import type { ExecutionCtx } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { type Authenticators, NO_AUTHENTICATORS, reserveNames } from '../mapping/authenticators.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Answer, ReviewRecord } from '../telemetry/audit.ts'
import type { CheckSigned } from './signed.ts'
import { answerVerdict, type Verdict } from './verdict.ts'

/** Who asks for a review, and by when the answer is due, in epoch milliseconds. */
export interface Asked {
  readonly cluster: string
  readonly ctx: ExecutionCtx
  readonly deadlineMs: number
}

interface KeystoneAuthenticatorDeps {
  readonly documents: Pick<Documents, 'mapping' | 'keystoneKeys' | 'authenticators'>
  /** Whether HTTP Basic is set up, whose user names no user of Keystone may have. */
  readonly hasBasic: boolean
  readonly identities: IdentityCache<Answer>
  readonly checkSigned: CheckSigned
}

/** Answers TokenReviews about tokens of one kind. */
export interface Authenticator {
  /** The answer that needs no waiting; `undefined`: call `authenticate`. */
  peek(review: TokenReview, asked: Asked): Answer | undefined
  /** Rejects only for bugs. */
  authenticate(review: TokenReview, asked: Asked): Promise<Answer>
}

/** Answers TokenReviews about the tokens of Keystone. */
export class KeystoneAuthenticator implements Authenticator {
  readonly #deps: KeystoneAuthenticatorDeps
  /** Mappings that refuse the user names of `authenticators`, by the mapping that they are made of. */
  readonly #reserving = new WeakMap<Mapping, { readonly authenticators: Authenticators; readonly mapping: Mapping }>()

  constructor(deps: KeystoneAuthenticatorDeps) {
    this.#deps = deps
  }

  /** Refreshes the documents that the review needs. The promise, if any, is what the review waits for. */
  refresh(review: TokenReview, { cluster, ctx }: Asked): Promise<unknown> | undefined {
    const waiting = this.#deps.documents.mapping.refresh(cluster, ctx)
    if (waiting === undefined || recogniseTokenFormat(review.token) !== 'jws') return waiting
    return Promise.all([waiting, this.#deps.documents.keystoneKeys.refresh(ctx)])
  }

  /** The answer for a token whose identity is in memory. */
  peekKnown(review: TokenReview, { cluster, ctx }: Asked): Answer | undefined {
    const mapping = this.#mappingFor(cluster)
    if (!mapping.ok) return undefined
    const query = { token: review.token, mapping: mapping.value, cluster, ctx }
    const found = this.#deps.identities.peekKnown(query)
    return found && this.#answer(review, query, found)
  }

  /** The answer that memory and the documents in force give without waiting; `undefined`: call `authenticate`. */
  peek(review: TokenReview, { cluster, ctx }: Asked): Answer | undefined {
    const mapping = this.#mappingFor(cluster)
    if (!mapping.ok) {
      if (recogniseTokenFormat(review.token) === undefined) return answerVerdict(review, { reason: 'malformed' })
      return answerVerdict(review, { reason: mapping.error === 'none' ? 'no_mapping' : 'documents' })
    }
    // Only tokens with the format of a Keystone token are ever remembered, so the format need not be checked first.
    const query = { token: review.token, mapping: mapping.value, cluster, ctx }
    const found = this.#deps.identities.peek(query)
    if (found !== undefined) return this.#answer(review, query, found)
    return recogniseTokenFormat(review.token) === undefined ? answerVerdict(review, { reason: 'malformed' }) : undefined
  }

  /** The answer to a review that `peek` did not answer: asks KV, then Keystone. Rejects only for bugs. */
  async authenticate(review: TokenReview, { cluster, ctx, deadlineMs }: Asked): Promise<Answer> {
    const { token } = review
    if (recogniseTokenFormat(token) === 'jws') {
      // A signature that does not hold is a definite no, without a look-up.
      const refusal = await this.#deps.checkSigned({ token, ctx })
      if (refusal !== undefined) return answerVerdict(review, refusal)
    }
    const mapping = this.#mappingFor(cluster)
    if (!mapping.ok) return answerVerdict(review, { reason: 'documents' })
    const query = { token, mapping: mapping.value, cluster, ctx }
    return this.#answer(review, query, await this.#deps.identities.load(query, deadlineMs))
  }

  /** The mapping in force. It refuses the user names of static tokens and of HTTP Basic, where there are any. */
  #mappingFor(cluster: string): Result<Mapping, 'none' | 'unreadable'> {
    const mapping = this.#deps.documents.mapping.inForce(cluster)
    const state = this.#deps.documents.authenticators.state(cluster)
    if (state.value === undefined && state.source === 'unreadable') return err('unreadable')
    const authenticators = state.value ?? (this.#deps.hasBasic ? NO_AUTHENTICATORS : undefined)
    if (!mapping.ok || authenticators === undefined) return mapping
    const made = this.#reserving.get(mapping.value)
    if (made?.authenticators === authenticators) return ok(made.mapping)
    const reserving = reserveNames(mapping.value, authenticators)
    this.#reserving.set(mapping.value, { authenticators, mapping: reserving })
    return ok(reserving)
  }

  /** The answer for an identity. Kept beside the identity, so that a warm review neither maps nor encodes. */
  #answer(review: TokenReview, query: Query & { readonly mapping: Mapping }, found: FoundIdentity<Answer>): Answer {
    const { result, source } = found
    if (!result.ok) return withCost(answerVerdict(review, result.error), found)
    const known = result.value
    const form = source === 'stale' ? `${review.apiVersion} stale` : review.apiVersion
    let answer = known.answer(query.mapping.digest, form)
    if (answer === undefined) {
      const verdict = judge(known.identity, query.mapping, source === 'stale')
      const cost = { source: 'memory', fingerprint: found.fingerprint, keystoneCalls: 0, keystoneMs: 0 } as const
      answer = withCost(answerVerdict(review, verdict), cost)
      this.#deps.identities.keepAnswer(query, known, form, answer)
    }
    return source === 'memory' ? answer : withCost(answer, found)
  }
}

/** What the mapping says of an identity. Pure. */
function judge(identity: Identity, mapping: Mapping, isStale: boolean): Verdict {
  const mapped = mapping.toUser(identity)
  if (!mapped.ok) return mapped.error
  const { user, leftOut } = mapped.value
  const reason = identity.groups === 'refused' ? 'groups_refused' : 'authenticated'
  return { reason, user: isStale ? { ...user, extra: { ...user.extra, ...STALE } } : user, leftOut }
}

/** Tells authorizers and auditors that Keystone could not confirm the user again. */
const STALE = { [EXTRA.stale]: ['true'] }

/** The first 12 hex digits name a token in the log. */
function withCost(
  { body, record }: Answer,
  cost: Pick<ReviewRecord, 'source' | 'keystoneCalls' | 'keystoneMs'> & { readonly fingerprint: string },
): Answer {
  const { source, keystoneCalls, keystoneMs } = cost
  const fingerprint = cost.fingerprint.slice(0, 12)
  return { body, record: { ...record, source, fingerprint, keystoneCalls, keystoneMs } }
}
