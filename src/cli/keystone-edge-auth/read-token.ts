import { usageError } from './command-error.ts'
import type { CommandContext } from './context.ts'

const MAX_BYTES = 16 * 1024

/** The token in a file, without white space around it. A file without exactly one token ends the command. */
export async function readToken(context: CommandContext, file: string): Promise<string> {
  const bytes = await context.files.read(file, MAX_BYTES + 2)
  const token = new TextDecoder().decode(bytes).trim()
  if (token.length > MAX_BYTES || !/^[\x21-\x7e]+$/.test(token))
    throw usageError(
      `${file} does not hold one token`,
      'expected 1 to 16384 printable ASCII characters, without spaces',
    )
  return token
}
