import { createMiddleware } from 'hono/factory'
import { readBoundedText } from '../bounded-text.ts'
import { problem } from './problem.ts'
import type { AppEnv } from './variables.ts'

/** kube-apiserver itself accepts TokenReviews of up to 3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/** Reads the body: 415 when it is not declared to be JSON, 413 over 4 MiB, 400 when it is not JSON. */
export function readJson() {
  return createMiddleware<AppEnv>(async (context, next) => {
    if (!JSON_TYPE.test(context.req.header('Content-Type') ?? '')) {
      return problem('UnsupportedMediaType', 'the body must be sent as Content-Type: application/json')
    }
    const text = await readBoundedText(context.req.raw, MAX_BODY_BYTES)
    if (!text.ok) return problem('RequestEntityTooLarge', 'the body is larger than 4 MiB')
    try {
      context.set('body', JSON.parse(text.value))
    } catch {
      // The parser's message quotes the body, which holds a token.
      return problem('BadRequest', '(body): is not JSON')
    }
    return next()
  })
}
