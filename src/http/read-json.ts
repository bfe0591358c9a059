import { readBoundedText } from '../bounded-text.ts'
import { err, ok, type Result } from '../result.ts'
import { problem } from './problem.ts'

/** kube-apiserver itself accepts TokenReviews of up to 3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/** Reads the body: 415 when it is not declared to be JSON, 413 over 4 MiB, 400 when it is not JSON or breaks off. */
export async function readJson(request: Request): Promise<Result<unknown, Response>> {
  const type = request.headers.get('Content-Type')
  if (type !== 'application/json' && !JSON_TYPE.test(type ?? '')) {
    return err(problem('UnsupportedMediaType', 'the body must be sent as Content-Type: application/json'))
  }
  try {
    const text = await readBoundedText(request, MAX_BODY_BYTES)
    if (!text.ok) return err(problem('RequestEntityTooLarge', 'the body is larger than 4 MiB'))
    return ok(JSON.parse(text.value))
  } catch {
    // The parser's message quotes the body, which holds a token. A body that cannot be read to its end (broken chunks, a
    // caller that hung up) is none either.
    return err(problem('BadRequest', '(body): is not JSON'))
  }
}
