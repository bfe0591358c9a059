import type { Readable } from 'node:stream'

/** An audit line is far shorter; of a longer one the rest is dropped, so that no input fills the memory. */
const MAX_CHARACTERS = 256 * 1024

/** The lines of a stream, as they come, without their ends. */
export async function* toLines(stream: Readable): AsyncIterable<string> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = (lines.pop() ?? '').slice(0, MAX_CHARACTERS)
    for (const line of lines) yield line.replace(/\r$/, '')
  }
  if (rest !== '') yield rest
}
