import { createFactory } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { checkNamed } from './http/caller-identifier.ts'
import { NO_STORE, toStatusResponse } from './http/problem.ts'
import { isReady, namesOf } from './http/ready.ts'
import { refuseCaller } from './http/refuse-caller.ts'
import { VERSION } from './lib/version.ts'
import { type Platform, servicesFor } from './services.ts'
import { createReportEvent, describeUnexpected } from './telemetry/events.ts'

type AppEnv = { Bindings: CloudflareBindings; Variables: { cluster: string } }

/** All methods but GET and HEAD (which Hono answers as GET), and those but POST, that workerd lets pass. */
const ALL_BUT_GET = [
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PURGE', 'QUERY', 'SEARCH', 'REPORT'],
  ...['COPY', 'LOCK', 'UNLOCK', 'MKCOL', 'MOVE', 'PROPFIND', 'PROPPATCH', 'ACL', 'MKACTIVITY', 'CHECKOUT', 'MERGE'],
  ...['MSEARCH', 'M-SEARCH', 'NOTIFY', 'SUBSCRIBE', 'UNSUBSCRIBE', 'LINK', 'UNLINK', 'BIND', 'REBIND', 'UNBIND'],
]
const ALL_BUT_POST = ['GET', ...ALL_BUT_GET.filter((method) => method !== 'POST')]

/** Every route of the webhook. */
export function createApp(platform: Platform) {
  const factory = createFactory<AppEnv>()
  const report = createReportEvent(platform)
  const servicesOf = servicesFor(platform, report)

  /** Sets `cluster`. While no caller can be identified it answers anyone with the names of the faulty settings. */
  const requireCaller = factory.createMiddleware(async (c, next) => {
    const { callers, readiness, auditCaller } = servicesOf(c.env)
    await callers.refresh(c.executionCtx)
    if (!callers.hasCallers) return c.json({ settings: namesOf(readiness.settings) }, 503, NO_STORE)
    const caller = checkNamed(callers.peek(c.req.raw) ?? (await callers.identify(c.req.raw)), undefined)
    if (!caller.ok) throw refuseCaller(caller.error, c.req.raw, undefined, auditCaller)
    c.set('cluster', caller.value)
    return next()
  })

  const app = factory.createApp({ strict: false })

  // One handler and nothing else that matches: Hono calls a lone handler directly, without a chain of promises.
  for (const path of ['/webhook', '/clusters/:cluster/webhook'] as const) {
    app.post(path, (c) => servicesOf(c.env).answerReview(c.req.raw, c.req.param('cluster'), c.executionCtx))
    app.on(ALL_BUT_POST, path, () => methodNotAllowed('POST'))
  }

  app.get('/healthz', (c) => c.json({ status: 'ok', version: VERSION }, 200, NO_STORE))
  app.on(ALL_BUT_GET, '/healthz', () => methodNotAllowed('GET, HEAD'))

  app.get('/readyz', requireCaller, async (c) => {
    const ready = await servicesOf(c.env).readiness.report(c.var.cluster, c.executionCtx)
    return c.json(ready, isReady(ready) ? 200 : 503, NO_STORE)
  })
  app.on(ALL_BUT_GET, '/readyz', () => methodNotAllowed('GET, HEAD'))

  app.notFound(() =>
    toStatusResponse('NotFound', 'no such path; reviews go to /webhook or /clusters/<cluster>/webhook'),
  )
  app.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse()
    report(describeUnexpected(error))
    return toStatusResponse('ServiceUnavailable', 'unexpected error; see the log of the webhook')
  })
  return app
}

function methodNotAllowed(allow: string): Response {
  return toStatusResponse('MethodNotAllowed', `use ${allow}`, { Allow: allow })
}
