import { createWebhook, type WaitUntil, type WebhookDeps } from './http/answer-review.ts'
import { createHealth } from './http/health.ts'
import { problem } from './http/problem.ts'
import { createReady, type ReadyDeps } from './http/ready.ts'

export interface AppDeps extends WebhookDeps, ReadyDeps {
  readonly version: string
}

/** Answers every request. Never throws or rejects. */
export type App = (request: Request, waitUntil: WaitUntil) => Response | Promise<Response>

const WEBHOOK = /^\/(?:clusters\/([^/]+)\/)?webhook$/

/**
 * Every route, with its checks in the order in which they are made: 404, 405, then those of the route. Plain code
 * instead of a router: with three routes a router is half of what a warm review costs beyond reading its body
 * (`npm run bench`).
 */
export function createApp(deps: AppDeps): App {
  const webhook = createWebhook(deps)
  const health = createHealth(deps.version)
  const ready = createReady(deps)

  function route(request: Request, waitUntil: WaitUntil): Response | Promise<Response> {
    const path = pathOf(request.url)
    const review = WEBHOOK.exec(path)
    if (review !== null) {
      return request.method === 'POST' ? webhook(request, review[1], waitUntil) : methodNotAllowed('POST')
    }
    if (path === '/healthz') {
      return request.method === 'GET' || request.method === 'HEAD' ? health() : methodNotAllowed('GET, HEAD')
    }
    if (path === '/readyz') {
      return request.method === 'GET' || request.method === 'HEAD'
        ? ready(request, waitUntil)
        : methodNotAllowed('GET, HEAD')
    }
    return problem('NotFound', 'no such path; reviews go to /webhook or /clusters/<cluster>/webhook')
  }

  function answerUnexpected(error: unknown): Response {
    deps.onUnexpected(error)
    return problem('ServiceUnavailable', 'unexpected error; see the log of the webhook')
  }

  return (request, waitUntil) => {
    try {
      const answer = route(request, waitUntil)
      return answer instanceof Promise ? answer.catch(answerUnexpected) : answer
    } catch (error) {
      return answerUnexpected(error)
    }
  }
}

/** The path of an absolute, normalised URL without query and without one trailing slash. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const query = url.indexOf('?', start)
  const end = query === -1 ? url.length : query
  return url.slice(start, url[end - 1] === '/' && end - 1 > start ? end - 1 : end)
}

function methodNotAllowed(allow: string): Response {
  return problem('MethodNotAllowed', `use ${allow}`, { Allow: allow })
}
