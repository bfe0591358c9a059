import { readBoundedText } from '../lib/bounded-text.ts'
import { problem } from './problem.ts'

/** kube-apiserver itself accepts TokenReviews of up to 3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/**
 * Reads the body as JSON, whatever its `Content-Type`. Throws the problem 413 over 4 MiB, and 400 where the body is not
 * JSON or breaks off.
 */
export async function readJson(request: Request): Promise<unknown> {
  let text: Awaited<ReturnType<typeof readBoundedText>>
  try {
    text = await readBoundedText(request, MAX_BODY_BYTES)
  } catch {
    // The caller hung up, or the chunks are broken.
    throw notJson()
  }
  if (!text.ok) throw problem('RequestEntityTooLarge', 'the body is larger than 4 MiB')
  try {
    return JSON.parse(text.value)
  } catch {
    throw notJson()
  }
}

/** Without the parser's message, which quotes the body, which holds a token. */
function notJson() {
  return problem('BadRequest', '(body): is not JSON')
}
