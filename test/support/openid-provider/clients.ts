import type { FormRequest } from './form.ts'
import { OAuthError } from './oauth-error.ts'

/** The grants of the token endpoint. */
export type GrantType = 'client_credentials' | 'password' | 'urn:ietf:params:oauth:grant-type:device_code'

/** A registered client. */
export interface Client {
  id: string
  /** A client without one is public: it names itself with `client_id` only. */
  secret?: string
  grants: readonly GrantType[]
  /** What it may ask for. It gets all of it when it asks for nothing. */
  scopes: readonly string[]
}

/**
 * The client that sent the request, authenticated by `client_secret_basic` or `client_secret_post` (RFC 6749, 2.3.1).
 * @throws OAuthError invalid_client, or invalid_request when both are used
 */
export function authenticateClient(request: FormRequest, clients: readonly Client[]): Client {
  const { id, secret } = credentialsOf(request)
  const client = clients.find((candidate) => candidate.id === id)
  if (client === undefined || client.secret !== secret) {
    throw new OAuthError('invalid_client', 'the client is not known, or its secret is wrong')
  }
  return client
}

/** The scopes that the request asks for. @throws OAuthError invalid_scope for one that the client may not have */
export function scopesOf(request: FormRequest, client: Client): readonly string[] {
  const asked = request.get('scope')?.split(' ').filter(Boolean) ?? client.scopes
  const excess = asked.find((scope) => !client.scopes.includes(scope))
  if (excess !== undefined) throw new OAuthError('invalid_scope', `the client may not ask for ${excess}`)
  return asked
}

/** @throws OAuthError unauthorized_client */
export function assertMayUse(client: Client, grant: GrantType): void {
  if (!client.grants.includes(grant)) throw new OAuthError('unauthorized_client', `the client may not use ${grant}`)
}

function credentialsOf(request: FormRequest): { id: string | undefined; secret: string | undefined } {
  const posted = { id: request.get('client_id'), secret: request.get('client_secret') }
  if (request.authorization === undefined) return posted
  const basic = parseBasic(request.authorization)
  if (posted.secret !== undefined || (posted.id !== undefined && posted.id !== basic.id)) {
    throw new OAuthError('invalid_request', 'the client authenticates in more than one way')
  }
  return basic
}

/** Id and secret are form-encoded inside HTTP Basic, so that both may hold any character. */
function parseBasic(authorization: string): { id: string; secret: string } {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? []
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
  try {
    if (id !== undefined && secret !== undefined) return { id: formDecode(id), secret: formDecode(secret) }
  } catch {
    // Not form-encoded: refused below.
  }
  throw new OAuthError('invalid_client', 'Authorization holds no client id and secret, each form-encoded')
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
