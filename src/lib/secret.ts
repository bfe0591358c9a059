declare const opaque: unique symbol

/**
 * A bearer token under review. At run time it is the string that arrived; to the compiler it is no string, so that it
 * cannot be logged, concatenated or put into an answer by oversight. Only `revealToken` gives it back.
 */
export interface Token {
  readonly [opaque]: 'token'
}

/** Marks what arrived in `spec.token` as a secret. */
export function concealToken(text: string): Token {
  return text as unknown as Token
}

/** The token's text. Every call is a place for reviewers: a header to Keystone, a shape check, or key material. */
export function revealToken(token: Token): string {
  return token as unknown as string
}
