/** The error codes of RFC 6749 (5.2) and RFC 8628 (3.5), with the statuses that they are answered with. */
const STATUSES = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  authorization_pending: 400,
  slow_down: 400,
  access_denied: 400,
  expired_token: 400,
} as const

/** An error that an endpoint answers with. */
export class OAuthError extends Error {
  readonly code: keyof typeof STATUSES

  constructor(code: keyof typeof STATUSES, description: string) {
    super(description)
    this.name = 'OAuthError'
    this.code = code
  }

  get status(): number {
    return STATUSES[this.code]
  }

  /** The body of the answer. */
  toBody(): { error: string; error_description: string } {
    return { error: this.code, error_description: this.message }
  }
}
