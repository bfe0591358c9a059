import { Hono } from 'hono/tiny'
import type { Callers } from './documents/callers.ts'
import { requireCaller } from './http/caller.ts'
import { health } from './http/health.ts'
import { problem } from './http/problem.ts'
import { readJson } from './http/read-json.ts'
import type { AppEnv } from './http/variables.ts'
import { type WebhookDeps, webhook } from './http/webhook.ts'

export interface AppDeps extends WebhookDeps {
  readonly callers: Callers
  readonly version: string
}

/** Every route, with its checks in the order in which they are made: 404, 405, 401, 403, 415, 413, 400. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  const caller = requireCaller(deps.callers)
  const answer = webhook(deps)

  for (const path of ['/webhook', '/clusters/:cluster/webhook']) {
    app.post(path, caller, readJson(), answer)
    app.all(path, () => methodNotAllowed('POST'))
  }
  app.get('/healthz', health(deps.version))
  app.all('/healthz', () => methodNotAllowed('GET, HEAD'))

  app.notFound(() => problem('NotFound', 'no such path; reviews go to /webhook or /clusters/<cluster>/webhook'))
  app.onError((error) => {
    deps.onUnexpected(error)
    return problem('ServiceUnavailable', 'unexpected error; see the log of the webhook')
  })
  return app
}

function methodNotAllowed(allow: string): Response {
  return problem('MethodNotAllowed', `use ${allow}`, { Allow: allow })
}
