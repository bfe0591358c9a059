import type { Rejection } from '../keystone/validate.ts'
import { BoundedMap } from '../lib/bounded-map.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { ValidatedIdentity } from './identity-store.ts'

/** A definite no of Keystone. */
interface Refused {
  readonly fingerprint: string
  readonly rejection: Rejection
  /** When Keystone was asked, in epoch milliseconds: no identity that was validated before then counts any more. */
  readonly refusedAtMs: number
}

// In characters; an isolate has 128 MB.
const KNOWN = { maxEntries: 10_000, maxWeight: 24_000_000 }
const REFUSED = { maxEntries: 20_000, maxWeight: 4_000_000 }
const REVOKED = { maxEntries: 10_000, maxWeight: 2_000_000 }
/** More clusters than this that ask about one token make the Worker map its identity again now and then. */
const ANSWERS = { maxEntries: 8, maxWeight: 4_000_000 }

/** The answers that one mapping gave for an identity, by form. */
interface AnswersOfMapping<Answer> {
  readonly byForm: Map<string, Answer>
  weight: number
}

/** The identity of a token in memory, with the answers that were made of it. */
export class KnownIdentity<Answer> implements ValidatedIdentity {
  readonly identity: ValidatedIdentity['identity']
  readonly validatedAtMs: number
  readonly fingerprint: string
  /** When Keystone was last asked about the token, whatever came of it. */
  triedAtMs: number
  /** When Keystone was last found unreachable for the token. */
  unreachableAtMs = Number.NEGATIVE_INFINITY
  readonly #answers = new BoundedMap<string, AnswersOfMapping<Answer>>(ANSWERS)
  readonly #ownWeight: number

  constructor(token: Token, fingerprint: string, validated: ValidatedIdentity) {
    this.identity = validated.identity
    this.validatedAtMs = validated.validatedAtMs
    this.fingerprint = fingerprint
    this.triedAtMs = validated.validatedAtMs
    this.#ownWeight = revealToken(token).length + 2 * JSON.stringify(validated).length
  }

  /** The kept answer, by the digest of the mapping and by the form. Two keys, as joining them costs a warm review more. */
  answer(mappingDigest: string, form: string): Answer | undefined {
    return this.#answers.get(mappingDigest)?.byForm.get(form)
  }

  keepAnswer(mappingDigest: string, form: string, answer: Answer, weight: number): void {
    const ofMapping = this.#answers.get(mappingDigest) ?? { byForm: new Map<string, Answer>(), weight: 0 }
    ofMapping.byForm.set(form, answer)
    ofMapping.weight += weight
    this.#answers.set(mappingDigest, ofMapping, ofMapping.weight)
  }

  /** In characters. Answers count: a mapping can give hundreds of groups. */
  get weight(): number {
    return this.#ownWeight + this.#answers.weight
  }
}

/**
 * What an isolate remembers of tokens, bounded. Accepted and refused tokens are kept apart, so that garbage evicts no
 * user. Entries are returned however old they are: the caller decides.
 */
export class TokenMemory<Answer> {
  readonly #known = new BoundedMap<Token, KnownIdentity<Answer>>(KNOWN)
  readonly #refused = new BoundedMap<Token, Refused>(REFUSED)
  /** Refusals of tokens that were accepted before: KV may still hold such an identity, so garbage must not evict them. */
  readonly #revoked = new BoundedMap<Token, Refused>(REVOKED)

  known(token: Token): KnownIdentity<Answer> | undefined {
    return this.#known.get(token)
  }

  refused(token: Token): Refused | undefined {
    return this.#revoked.get(token) ?? this.#refused.get(token)
  }

  /** Keeps an identity; a refusal of the token is forgotten. */
  remember(token: Token, fingerprint: string, validated: ValidatedIdentity): KnownIdentity<Answer> {
    const entry = new KnownIdentity<Answer>(token, fingerprint, validated)
    this.#refused.delete(token)
    this.#revoked.delete(token)
    this.#known.set(token, entry, entry.weight)
    return entry
  }

  /** Counts the answers that were added to an identity since it was remembered. */
  weighAgain(token: Token, entry: KnownIdentity<Answer>): void {
    if (this.#known.get(token) === entry) this.#known.set(token, entry, entry.weight)
  }

  /** Drops the identity, without a refusal. */
  forget(token: Token): void {
    this.#known.delete(token)
  }

  /** Keeps a refusal; the identity is dropped. `wasKnown`: an identity of the token may still come from KV. */
  refuse(token: Token, refused: Refused, wasKnown: boolean): void {
    this.#known.delete(token)
    const map = wasKnown || this.#revoked.get(token) !== undefined ? this.#revoked : this.#refused
    map.set(token, refused, revealToken(token).length)
  }
}
