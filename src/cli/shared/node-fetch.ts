import { readFileSync } from 'node:fs'
import type { Agent, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { getProxyForUrl } from 'proxy-from-env'
import type { Fetch } from '../../keystone/api.ts'

/** PEM texts, read already. */
export interface TlsSettings {
  /** Certificate authorities, instead of the system's. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly insecure: boolean
}

/** Why the last request got no answer, or was sent elsewhere: what `keystone/api` keeps out of its results. */
export interface Transport {
  readonly fetch: Fetch
  /** Node's or OpenSSL's error code, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`. */
  lastErrorCode(): string | undefined
  /** `Location` of the last redirect, without its query. */
  lastRedirect(): string | undefined
  /** `Date` of the last answer, in epoch milliseconds. */
  lastDateMs(): number | undefined
  /** When the certificate of the last server that answered over TLS ends, in epoch milliseconds. */
  lastCertificateEndMs(): number | undefined
}

/**
 * `fetch` over node:https, which Node's own has no TLS settings for. Certificates are verified whatever
 * NODE_TLS_REJECT_UNAUTHORIZED says, NODE_EXTRA_CA_CERTS adds none, a redirect is never followed; HTTP(S)_PROXY and
 * NO_PROXY are honoured.
 */
export function createTransport(tls: TlsSettings): Transport {
  let errorCode: string | undefined
  let redirect: string | undefined
  let dateMs: number | undefined
  let certificateEndMs: number | undefined
  const look = (message: IncomingMessage): void => {
    certificateEndMs = endOf(message.socket) ?? certificateEndMs
  }
  return {
    lastErrorCode: () => errorCode,
    lastRedirect: () => redirect,
    lastDateMs: () => dateMs,
    lastCertificateEndMs: () => certificateEndMs,
    async fetch(url, init) {
      errorCode = undefined
      try {
        const response = await send(url, init, tls, look)
        const date = Date.parse(response.headers.get('Date') ?? '')
        dateMs = Number.isNaN(date) ? undefined : date
        redirect = response.headers.get('Location')?.replace(/[?#].*$/, '') ?? undefined
        return response
      } catch (error) {
        errorCode = codeOf(error)
        throw error
      }
    },
  }
}

async function send(
  url: string,
  init: RequestInit,
  tls: TlsSettings,
  look: (message: IncomingMessage) => void,
): Promise<Response> {
  const isHttps = url.startsWith('https:')
  const secured = isHttps
    ? { ca: tls.ca ?? (await systemCertificates()), cert: tls.cert, key: tls.key, rejectUnauthorized: !tls.insecure }
    : {}
  const agent = await proxyAgentFor(url)
  const { request } = await (isHttps ? import('node:https') : import('node:http'))
  const options: RequestOptions = {
    method: init.method ?? 'GET',
    headers: { ...Object.fromEntries(new Headers(init.headers)) },
    ...(init.signal && { signal: init.signal }),
    ...(agent && { agent }),
    ...secured,
    // A tunnel's TLS would take an IP address for `localhost`.
    ...(agent && isHttps && (await checkIdentityOf(new URL(url).hostname))),
  }
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const sending = request(url, options, resolve)
    sending.on('error', reject)
    sending.end(init.body)
  })
  look(message)
  return toResponse(message)
}

/** A connection that resumes a session of TLS has no certificate. */
function endOf(socket: Socket): number | undefined {
  if (!('getPeerCertificate' in socket)) return undefined
  const endMs = Date.parse((socket as TLSSocket).getPeerCertificate()?.valid_to ?? '')
  return Number.isNaN(endMs) ? undefined : endMs
}

function toResponse(message: IncomingMessage): Response {
  const status = message.statusCode ?? 0
  const headers = new Headers()
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2)
    headers.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '')
  if (status === 204 || status === 205 || status === 304) {
    message.resume()
    return new Response(null, { status, headers })
  }
  // Node's own type of a web stream is not the global one.
  return new Response(Readable.toWeb(message) as unknown as ReadableStream, { status, headers })
}

/** Whether variables name a proxy for a URL. Over http this machine is always reached directly, as in Go. */
export function usesProxy(url: string): boolean {
  const isLoopback = /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?=[:/]|$)/i.test(url)
  return !isLoopback && getProxyForUrl(url) !== ''
}

async function proxyAgentFor(url: string): Promise<Agent | undefined> {
  if (!usesProxy(url)) return undefined
  const proxy = getProxyForUrl(url)
  if (url.startsWith('https:')) return new (await import('https-proxy-agent')).HttpsProxyAgent(proxy)
  return new (await import('http-proxy-agent')).HttpProxyAgent(proxy)
}

async function checkIdentityOf(hostname: string): Promise<Pick<ConnectionOptions, 'checkServerIdentity'>> {
  const { checkServerIdentity } = await import('node:tls')
  return { checkServerIdentity: (_, certificate) => checkServerIdentity(hostname.replace(/^\[|\]$/g, ''), certificate) }
}

/** Where Linux distributions and BSDs keep the certificate authorities of the system, as Go's crypto/x509 looks for them. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

async function systemCertificates(): Promise<string | string[]> {
  const { getCACertificates, rootCertificates } = await import('node:tls')
  if (process.platform !== 'darwin' && process.platform !== 'win32')
    for (const bundle of BUNDLES) {
      try {
        return readFileSync(bundle, 'utf8')
      } catch {
        // The next one.
      }
    }
  // Node 22.15 and later read the store of macOS and Windows; earlier ones know Mozilla's authorities only.
  return typeof getCACertificates === 'function' ? getCACertificates('system') : [...rootCertificates]
}

/** The code of the first error that has one: a proxy's agent wraps errors. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return 'cause' in error ? codeOf(error.cause) : undefined
}
