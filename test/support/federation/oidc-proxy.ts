import { type ClientRequest, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as v from 'valibot'

/** What the proxy stands in front of, and whom it asks about access tokens. */
interface OidcProxyOptions {
  /** Identity API root of Keystone. */
  keystoneUrl: string
  /** Below the root: the one path whose requests must carry an access token. */
  authPath: string
  introspectionUrl: string
  /** The proxy's own client at the provider. */
  client: { id: string; secret: string }
}

/** A proxy that listens on loopback. */
export interface OidcProxy {
  /** Identity API root through the proxy. */
  url: string
  /** `METHOD path` of every request, in order. */
  requests: string[]
  close(): Promise<void>
}

const Introspection = v.looseObject({ active: v.boolean() })

/** These are about one connection, and not passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer'])

/**
 * A reverse proxy that does for Keystone what Apache does with mod_auth_openidc as an OAuth 2.0 resource server and
 * `OIDCClaimPrefix "OIDC-"`: on the path of federated logins it asks the provider about the access token and puts the claims
 * into headers, which Keystone reads as its assertion. It takes such headers away from every request that comes in.
 */
export async function startOidcProxy(options: OidcProxyOptions): Promise<OidcProxy> {
  const { origin, pathname } = new URL(options.keystoneUrl)
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    void handle(request, response).catch(() => response.destroy())
  })
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = headersToPass(request)
    if (new URL(request.url ?? '', origin).pathname === pathname + options.authPath) {
      const claims = await introspect(options, request.headers.authorization)
      if (claims === undefined) return refuse(response)
      for (const [name, value] of Object.entries(claims)) headers.push(`OIDC-${name}`, value)
    }
    forward(origin, headers, request, response)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    requests,
    close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      return promise
    },
  }
}

/** WSGI makes one variable of `OIDC-SUB`, `OIDC_SUB` and `oidc-sub`: none of them may come from outside. */
function headersToPass({ rawHeaders }: IncomingMessage): string[] {
  const passed: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const comparable = name.toLowerCase().replaceAll('_', '-')
    if (!comparable.startsWith('oidc-') && !HOP_BY_HOP.has(comparable)) passed.push(name, rawHeaders[at + 1] ?? '')
  }
  return passed
}

/** The claims that are text, or `undefined` when the request carries no access token that is valid now. */
async function introspect(
  { introspectionUrl, client }: OidcProxyOptions,
  authorization: string | undefined,
): Promise<Record<string, string> | undefined> {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) return undefined
  const body = new URLSearchParams({ token, client_id: client.id, client_secret: client.secret })
  const answer = await fetch(introspectionUrl, { method: 'POST', body, redirect: 'error' }).catch(() => undefined)
  const parsed = v.safeParse(Introspection, await answer?.json())
  if (answer?.status !== 200 || !parsed.success || !parsed.output.active) return undefined
  const texts = Object.entries(parsed.output).filter((claim): claim is [string, string] => typeof claim[1] === 'string')
  return Object.fromEntries(texts)
}

/** As mod_auth_openidc refuses: the page is Apache's, not Keystone's JSON. */
function refuse(response: ServerResponse): void {
  response.writeHead(401, {
    'Content-Type': 'text/html; charset=iso-8859-1',
    'WWW-Authenticate': 'Bearer realm="127.0.0.1", error="invalid_token"',
  })
  response.end('<html><head><title>401 Unauthorized</title></head><body><h1>Unauthorized</h1></body></html>')
}

function forward(origin: string, headers: string[], request: IncomingMessage, response: ServerResponse): void {
  const upstream: ClientRequest = send(origin + request.url, { method: request.method ?? 'GET', headers, agent: false })
  upstream.on('response', (answer) => {
    const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name))
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept))
    answer.pipe(response)
    answer.on('error', () => response.destroy())
  })
  upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
}
