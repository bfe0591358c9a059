import { readBoundedText } from '../lib/bounded-text.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { problem } from './problem.ts'

/** kube-apiserver itself accepts TokenReviews of up to 3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/**
 * Reads the body: 415 when it is not declared to be JSON, 413 over 4 MiB, 400 when it is not JSON or breaks off. Never
 * rejects. Without `await`, as each one on this path costs a warm review more than what it waits for.
 */
export function readJson(request: Request): Promise<Result<unknown, Response>> {
  const type = request.headers.get('Content-Type')
  if (type !== 'application/json' && !JSON_TYPE.test(type ?? '')) {
    return Promise.resolve(
      err(problem('UnsupportedMediaType', 'the body must be sent as Content-Type: application/json')),
    )
  }
  // A body that cannot be read to its end (broken chunks, a caller that hung up) is not JSON either.
  return readBoundedText(request, MAX_BODY_BYTES).then(parse, refuseBody)
}

function parse(text: Result<string, 'too_large'>): Result<unknown, Response> {
  if (!text.ok) return err(problem('RequestEntityTooLarge', 'the body is larger than 4 MiB'))
  try {
    return ok(JSON.parse(text.value))
  } catch {
    return refuseBody()
  }
}

/** Without the parser's message, which quotes the body, which holds a token. */
function refuseBody(): Result<never, Response> {
  return err(problem('BadRequest', '(body): is not JSON'))
}
