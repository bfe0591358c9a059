import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AccessTokens, type Algorithm, createAccessTokens } from './access-tokens.ts'
import { assertMayUse, authenticateClient, type Client, type GrantType, scopesOf } from './clients.ts'
import { createDeviceCodes, type DeviceCodes } from './device-codes.ts'
import { type FormRequest, readForm, required } from './form.ts'
import { OAuthError } from './oauth-error.ts'
import { subjectOf, type User } from './users.ts'

/** Who is registered at a provider, and how it behaves. */
export interface OpenidProviderOptions {
  clients: readonly Client[]
  users: readonly User[]
  /** Milliseconds since the epoch. Default: the system's clock. */
  now?: () => number
  /** Default `RS256`. */
  algorithm?: Algorithm
  /** Of access tokens. Default 300. */
  lifetimeSeconds?: number
  /** The least time between two polls of a device. Default 5. */
  deviceIntervalSeconds?: number
}

/** A provider that listens on loopback. */
export interface OpenidProvider {
  issuer: string
  discoveryUrl: string
  introspectionUrl: string
  /** `METHOD path` of every request, in order; with the grant for the token endpoint, such as `POST /token password`. */
  requests: string[]
  /** What the user does who reads this code on a device. @throws Error for a code that no device shows */
  approveDevice(userCode: string, username: string): void
  denyDevice(userCode: string): void
  close(): Promise<void>
}

const DEVICE_GRANT: GrantType = 'urn:ietf:params:oauth:grant-type:device_code'
const GRANTS: readonly GrantType[] = ['client_credentials', 'password', DEVICE_GRANT]

/** What the endpoints share. */
interface Context {
  issuer: string
  clients: readonly Client[]
  users: readonly User[]
  tokens: AccessTokens
  devices: DeviceCodes
  requests: string[]
}

/**
 * A small OpenID provider: discovery, keys, token endpoint, device authorization (RFC 8628) and introspection (RFC 7662).
 * It has no page to log in at, so it offers no `authorization_endpoint`, and none of the grants that need one.
 */
export async function startOpenidProvider(options: OpenidProviderOptions): Promise<OpenidProvider> {
  const { clients, users, now = Date.now, algorithm = 'RS256', lifetimeSeconds = 300 } = options
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokens = await createAccessTokens(issuer, { algorithm, lifetimeSeconds, now })
  const devices = createDeviceCodes(now, options.deviceIntervalSeconds ?? 5)
  const context: Context = { issuer, clients, users, tokens, devices, requests: [] }
  server.on('request', (request, response) => void answer(context, request, response))
  return {
    issuer,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    introspectionUrl: `${issuer}/introspect`,
    requests: context.requests,
    approveDevice(userCode, username) {
      const user = users.find((candidate) => candidate.username === username)
      if (user === undefined) throw new Error(`no user ${username}`)
      devices.decide(userCode, subjectOf(user))
    },
    denyDevice: (userCode) => devices.decide(userCode, 'denied'),
    close: () => close(server),
  }
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '', context.issuer).pathname
  const index = context.requests.push(`${request.method} ${path}`) - 1
  try {
    if (request.method === 'GET') return await get(context, path, response)
    if (request.method !== 'POST') return send(response, 405, {})
    const form = await readForm(request)
    const grant = form.get('grant_type')
    if (grant !== undefined) context.requests[index] += ` ${grant}`
    await post(context, path, form, response)
  } catch (error) {
    if (!(error instanceof OAuthError)) return send(response, 500, { error: 'server_error' })
    if (error.status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="openid-provider"')
    send(response, error.status, error.toBody())
  }
}

async function get({ issuer, clients, tokens }: Context, path: string, response: ServerResponse): Promise<void> {
  if (path === '/jwks') return send(response, 200, { keys: [tokens.jwk] })
  if (path !== '/.well-known/openid-configuration') return send(response, 404, {})
  send(response, 200, {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    token_endpoint: `${issuer}/token`,
    device_authorization_endpoint: `${issuer}/device_authorization`,
    introspection_endpoint: `${issuer}/introspect`,
    grant_types_supported: GRANTS,
    scopes_supported: [...new Set(clients.flatMap(({ scopes }) => scopes))],
    response_types_supported: [],
    subject_types_supported: ['public'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    id_token_signing_alg_values_supported: [tokens.jwk.alg],
  })
}

async function post(context: Context, path: string, form: FormRequest, response: ServerResponse): Promise<void> {
  const { clients, devices, tokens, issuer } = context
  if (path === '/token') return send(response, 200, await issue(context, form))
  if (path === '/device_authorization') {
    const client = authenticateClient(form, clients)
    assertMayUse(client, DEVICE_GRANT)
    const started = devices.start(client, scopesOf(form, client))
    const verification_uri = `${issuer}/device`
    const verification_uri_complete = `${verification_uri}?user_code=${started.user_code}`
    return send(response, 200, { ...started, verification_uri, verification_uri_complete })
  }
  if (path !== '/introspect') return send(response, 404, {})
  // Whoever could ask without a secret could guess tokens (RFC 7662, 2.1).
  if (authenticateClient(form, clients).secret === undefined) {
    throw new OAuthError('invalid_client', 'a public client may not introspect')
  }
  send(response, 200, await tokens.introspect(required(form, 'token')))
}

async function issue({ clients, users, tokens, devices }: Context, form: FormRequest) {
  const client = authenticateClient(form, clients)
  const asked = required(form, 'grant_type')
  const grant = GRANTS.find((known) => known === asked)
  if (grant === undefined) throw new OAuthError('unsupported_grant_type', `there is no grant ${asked}`)
  assertMayUse(client, grant)
  if (grant === DEVICE_GRANT) return tokens.issue({ client, ...devices.redeem(client, required(form, 'device_code')) })
  const scopes = scopesOf(form, client)
  if (grant === 'client_credentials') return issueToClient(tokens, client, scopes)
  const [username, password] = [required(form, 'username'), required(form, 'password')]
  const user = users.find((candidate) => candidate.username === username && candidate.password === password)
  if (user === undefined) throw new OAuthError('invalid_grant', 'user name or password is wrong')
  return tokens.issue({ client, subject: subjectOf(user), scopes })
}

function issueToClient(tokens: AccessTokens, client: Client, scopes: readonly string[]) {
  // A public client proves nothing, so it cannot stand for itself (RFC 6749, 4.4).
  if (client.secret === undefined) throw new OAuthError('unauthorized_client', 'a public client has no credentials')
  const name = `service-account-${client.id}`
  return tokens.issue({ client, subject: { sub: name, preferred_username: name }, scopes })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body))
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
