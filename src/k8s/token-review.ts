import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { concealToken, type Token } from '../lib/secret.ts'

/** Both versions that kube-apiserver sends; v1beta1 is still its default. The answer must use the request's. */
type TokenReviewVersion = 'authentication.k8s.io/v1' | 'authentication.k8s.io/v1beta1'

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

/**
 * Reads a TokenReview. Unknown fields are ignored; what is missing or mistyped is named by its path. By hand, as this
 * is on the path of every request to a cluster, and a schema is a tenth of what a warm review costs beyond its body.
 */
export function decodeTokenReview(body: unknown): Result<TokenReview, Fault> {
  if (!isObject(body)) return expected('(body)', body, 'an object')
  const { apiVersion, kind, spec } = body
  const version = VERSIONS.find((known) => known === apiVersion)
  if (version === undefined) return expected('apiVersion', apiVersion, VERSIONS.join(' or '))
  if (kind !== 'TokenReview') return expected('kind', kind, 'TokenReview or SubjectAccessReview')
  if (!isObject(spec)) return expected('spec', spec, 'an object with the field token')
  const { token, audiences } = spec
  if (typeof token !== 'string') return expected('spec.token', token, 'a string')
  const fault = checkAudiences(audiences ?? [])
  return fault ?? ok({ apiVersion: version, token: concealToken(token) })
}

function checkAudiences(audiences: unknown): Result<never, Fault> | undefined {
  if (!Array.isArray(audiences)) return expected('spec.audiences', audiences, 'a list of strings')
  const index = audiences.findIndex((audience) => typeof audience !== 'string')
  return index === -1 ? undefined : expected(`spec.audiences[${index}]`, audiences[index], 'a string')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Says what should be there, and never what is: that may be a token in the wrong place. */
function expected(path: string, value: unknown, what: string): Result<never, Fault> {
  return err({ path, message: `${value === undefined ? 'is missing; ' : ''}expected ${what}` })
}

/** The answer on the wire: never with `spec`, which would repeat the token. */
export function encodeTokenReview(apiVersion: TokenReviewVersion, status: TokenReviewStatus): string {
  return JSON.stringify({ apiVersion, kind: 'TokenReview', status })
}
