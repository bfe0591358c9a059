/** Where a federated user comes from (ids), and the groups that the mapping gave. */
export interface Federation {
  identityProvider: string
  protocol: string
  groupIds: string[]
}

/** What a token itself carries, in either format; all else is looked up when it is validated. */
export interface TokenPayload {
  userId: string
  methods: string[]
  /** The token's own audit id and, for one made from another token, that of the first in the chain. */
  auditIds: string[]
  /** Seconds since the epoch. */
  issuedAt: number
  /** Seconds since the epoch. */
  expiresAt: number
  projectId?: string
  domainId?: string
  system?: 'all'
  trustId?: string
  applicationCredentialId?: string
  federation?: Federation
}

/** A token format: `[token] provider` of keystone.conf. */
export interface TokenFormat {
  /** The token for this payload. */
  seal(payload: TokenPayload): Promise<string>
  /** The payload of a token that this Keystone made. @throws KeystoneError (an invalid token) for anything else. */
  open(token: string): Promise<TokenPayload>
}
