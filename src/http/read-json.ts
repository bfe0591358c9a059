import { readBoundedText } from '../lib/bounded-text.ts'
import type { Result } from '../lib/result.ts'
import { problem } from './problem.ts'

/** kube-apiserver itself accepts TokenReviews of up to 3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/**
 * Reads the body as JSON, whatever its `Content-Type`. Throws the problem 413 over 4 MiB, and 400 where the body is not
 * JSON or breaks off.
 */
export function readJson(request: Request): Promise<unknown> {
  // A body that cannot be read to its end is no JSON either: the caller hung up, or the chunks are broken.
  return readBoundedText(request, MAX_BODY_BYTES).then(parseJson, throwNotJson)
}

function parseJson(text: Result<string, 'too_large'>): unknown {
  if (!text.ok) throw problem('RequestEntityTooLarge', 'the body is larger than 4 MiB')
  try {
    return JSON.parse(text.value)
  } catch {
    return throwNotJson()
  }
}

/** Without the parser's message, which quotes the body, which holds a token. */
function throwNotJson(): never {
  throw problem('BadRequest', '(body): is not JSON')
}
