import type { Rejection } from '../keystone/validate.ts'
import { createBoundedMap } from '../lib/bounded-map.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { ValidatedIdentity } from './identity-store.ts'

/** A token's identity as this isolate remembers it. */
export interface KnownIdentity<Answer> extends ValidatedIdentity {
  readonly fingerprint: string
  /**
   * What was made of the identity before and can be used again: by the mapping's digest, and by a name of the maker's
   * for the form. Both apart, as to join and hash them would cost a warm review more than to find the answer.
   */
  answer(mapping: string, form: string): Answer | undefined
  /** Keeps such an answer, at the cost of other identities: `weight` is its length. */
  keepAnswer(mapping: string, form: string, answer: Answer, weight: number): void
  /** When Keystone was last asked about it, whatever came of it. */
  triedAtMs: number
  /** When Keystone last turned out to be unreachable for it. */
  unreachableAtMs: number
}

/** A definite no. */
export interface Refused {
  readonly fingerprint: string
  readonly rejection: Rejection
  /** When Keystone was asked, milliseconds since the epoch: nothing that was validated before then counts any more. */
  readonly refusedAtMs: number
}

/** What an isolate remembers of tokens, bounded: good ones and refused ones apart, so that no garbage pushes a user out. */
export interface Memory<Answer> {
  /** However old; the caller judges. */
  known(token: Token): KnownIdentity<Answer> | undefined
  /** However old; the caller judges. */
  refused(token: Token): Refused | undefined
  remember(token: Token, fingerprint: string, validated: ValidatedIdentity): KnownIdentity<Answer>
  /** Drops the identity, without a no. */
  forget(token: Token): void
  /** `wasKnown`: an identity of the token may still come from KV, so no garbage may push out that it was refused. */
  refuse(token: Token, refused: Refused, wasKnown: boolean): void
}

// In characters, of an isolate's 128 MB.
const KNOWN = { maxEntries: 10_000, maxWeight: 24_000_000 }
const REFUSED = { maxEntries: 20_000, maxWeight: 4_000_000 }
const REVOKED = { maxEntries: 10_000, maxWeight: 2_000_000 }
/** One token asked about by more clusters than this at once is mapped again now and then, which costs little. */
const ANSWERS = { maxEntries: 8, maxWeight: 4_000_000 }

/** What one mapping made of an identity. */
interface FormsOfAnswer<Answer> {
  readonly byName: Map<string, Answer>
  weight: number
}

/** `keeps`: whether identities may be kept at all. */
export function createMemory<Answer>(keeps: boolean): Memory<Answer> {
  const known = createBoundedMap<Token, KnownIdentity<Answer>>(KNOWN)
  const refused = createBoundedMap<Token, Refused>(REFUSED)
  const revoked = createBoundedMap<Token, Refused>(REVOKED)

  return {
    known: known.get,
    refused: (token) => revoked.get(token) ?? refused.get(token),
    remember(token, fingerprint, validated) {
      const answers = createBoundedMap<string, FormsOfAnswer<Answer>>(ANSWERS)
      const ownWeight = revealToken(token).length + 2 * JSON.stringify(validated).length
      const entry: KnownIdentity<Answer> = {
        ...validated,
        fingerprint,
        answer: (mapping, form) => answers.get(mapping)?.byName.get(form),
        keepAnswer(mapping, form, answer, weight) {
          const forms = answers.get(mapping) ?? { byName: new Map<string, Answer>(), weight: 0 }
          forms.byName.set(form, answer)
          forms.weight += weight
          answers.set(mapping, forms, forms.weight)
          // Answers can be larger than what they are made of: a mapping may give hundreds of groups.
          if (known.get(token) === entry) known.set(token, entry, ownWeight + answers.weight())
        },
        triedAtMs: validated.validatedAtMs,
        unreachableAtMs: Number.NEGATIVE_INFINITY,
      }
      refused.delete(token)
      revoked.delete(token)
      if (keeps) known.set(token, entry, ownWeight)
      return entry
    },
    forget: known.delete,
    refuse(token, refusal, wasKnown) {
      known.delete(token)
      // Once revoked, every later no is one of a token that was known.
      const map = wasKnown || revoked.get(token) !== undefined ? revoked : refused
      map.set(token, refusal, revealToken(token).length)
    },
  }
}
