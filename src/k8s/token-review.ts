import * as v from 'valibot'
import type { Fault } from '../fault.ts'
import { err, ok, type Result } from '../result.ts'
import { concealToken, type Token } from '../secret.ts'

/** Both versions that kube-apiserver sends; v1beta1 is still its default. The answer must use the request's. */
export type TokenReviewVersion = 'authentication.k8s.io/v1' | 'authentication.k8s.io/v1beta1'

/** A TokenReview as far as it is read: `spec.audiences` is left to kube-apiserver, which intersects them itself. */
export interface TokenReview {
  readonly apiVersion: TokenReviewVersion
  readonly token: Token
}

/** `status.user` of authentication.k8s.io. */
export interface UserInfo {
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** `status` of a TokenReview. Without `error` a refusal is definite, and kube-apiserver remembers it. */
export type TokenReviewStatus =
  | { readonly authenticated: true; readonly user: UserInfo }
  | { readonly authenticated: false; readonly error?: string }

const VERSIONS = ['authentication.k8s.io/v1', 'authentication.k8s.io/v1beta1'] as const

const TokenReviewBody = v.object(
  {
    apiVersion: v.picklist(VERSIONS, `expected ${VERSIONS.join(' or ')}`),
    kind: v.literal('TokenReview', 'expected TokenReview or SubjectAccessReview'),
    spec: v.object(
      {
        token: v.string('expected a string'),
        audiences: v.nullish(v.array(v.string('expected a string'), 'expected a list of strings')),
      },
      'expected an object with the field token',
    ),
  },
  'expected an object',
)

/** Reads a TokenReview. Unknown fields are ignored; what is missing or mistyped is named by its path. */
export function decodeTokenReview(body: unknown): Result<TokenReview, Fault> {
  const parsed = v.safeParse(TokenReviewBody, body, { abortEarly: true })
  if (parsed.success) {
    return ok({ apiVersion: parsed.output.apiVersion, token: concealToken(parsed.output.spec.token) })
  }
  const issue = parsed.issues[0]
  return err({ path: v.getDotPath(issue) ?? '(body)', message: missingOr(issue) })
}

// The library's own messages repeat what was received, and that may be a token in the wrong place: only ours are used.
function missingOr(issue: v.BaseIssue<unknown>): string {
  return issue.input === undefined ? `is missing; ${ourMessage(issue)}` : ourMessage(issue)
}

function ourMessage(issue: v.BaseIssue<unknown>): string {
  return issue.message.startsWith('expected ') ? issue.message : 'does not have the expected type'
}

/** The answer on the wire: never with `spec`, which would repeat the token. */
export function encodeTokenReview(apiVersion: TokenReviewVersion, status: TokenReviewStatus): string {
  return JSON.stringify({ apiVersion, kind: 'TokenReview', status })
}
