import { type Context, Hono } from 'hono'
import { applicationCredentialRoutes } from './application-credential-routes.ts'
import { authRoutes } from './auth-routes.ts'
import { domainRoutes } from './domain-routes.ts'
import { KeystoneError } from './errors.ts'
import { federationRoutes } from './federation-routes.ts'
import { createFernetFormat } from './fernet-provider.ts'
import { grantRoutes } from './grant-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { createJwsFormat } from './jws-provider.ts'
import { bootstrapState } from './keystone-state.ts'
import { projectRoutes } from './project-routes.ts'
import type { RouteContext } from './require-token.ts'
import { roleRoutes } from './role-routes.ts'
import { trustRoutes } from './trust-routes.ts'
import { userRoutes } from './user-routes.ts'

/** How the embedded Keystone is set up. */
export interface EmbeddedKeystoneOptions {
  /** The only clock: milliseconds since the epoch. */
  now: () => number
  /** The token format, `[token] provider` of keystone.conf. */
  provider: 'fernet' | 'jws'
  /** Identity API root that links and the catalog show, such as `http://127.0.0.1:5000/v3`. Its path is where routes are. */
  url: string
  /** Default 3600. */
  tokenLifetimeSeconds?: number
  /** Password of the user `admin`. Default `secret`. */
  adminPassword?: string
}

/** A Keystone in memory, right after `keystone-manage bootstrap`; all else is made through its API. */
export interface EmbeddedKeystone {
  /** Answers one request. Never rejects for what a client sent. */
  fetch(request: Request): Promise<Response>
  /** The key that verifies its tokens, in PEM, for provider jws only: a real operator copies it from a file. */
  jwsPublicKeyPem: string | undefined
}

/**
 * The part of OpenStack's Identity API v3 that this product uses, made of web APIs only so that it runs in Node and in
 * workerd alike. Answers, statuses and their order are those observed on Keystone 22.0; test/contract holds both to it.
 */
export async function createEmbeddedKeystone(options: EmbeddedKeystoneOptions): Promise<EmbeddedKeystone> {
  const jws = options.provider === 'jws' ? await createJwsFormat() : undefined
  const format = jws ?? (await createFernetFormat())
  const app = createApp({
    state: bootstrapState(options.adminPassword ?? 'secret'),
    format,
    now: options.now,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3600,
    url: options.url.replace(/\/+$/, ''),
  })
  return {
    fetch: async (request) => app.fetch(request),
    jwsPublicKeyPem: jws?.publicKeyPem,
  }
}

function createApp(context: RouteContext): Hono {
  const { pathname } = new URL(context.url)
  const app = new Hono({ strict: false })
  const routes = [
    authRoutes,
    domainRoutes,
    projectRoutes,
    userRoutes,
    groupRoutes,
    roleRoutes,
    grantRoutes,
    applicationCredentialRoutes,
    trustRoutes,
    federationRoutes,
  ]
  app.get(pathname, (c) => c.json({ version: versionDocument(context.url) }))
  app.get('/', (c) => c.json({ versions: { values: [versionDocument(context.url)] } }, 300))
  for (const route of routes) app.route(pathname, route(context))
  app.notFound((c) => c.html(NOT_FOUND_PAGE, 404))
  app.onError((error, c) => errorAnswer(error, c, context.url))
  return app
}

function versionDocument(url: string) {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${url}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }
}

/** What the web framework under Keystone answers for a path that it does not know: a page, not Keystone's JSON. */
const NOT_FOUND_PAGE = `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>There is nothing at this address.</p>
`

function errorAnswer(error: Error, c: Context, url: string): Response | Promise<Response> {
  if (!(error instanceof KeystoneError)) throw error
  if (error.status === 401) c.header('WWW-Authenticate', `Keystone uri="${url}"`)
  c.header('Vary', 'X-Auth-Token')
  return c.json(error.toBody(), error.status)
}
