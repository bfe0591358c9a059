import { createHash } from 'node:crypto'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'
import { confirmOverwrite } from '../prompts.ts'

/** Where a new token goes. */
export interface TokenFlags {
  readonly tokenFile?: string
  readonly yes: boolean
  readonly output: 'text' | 'json'
}

export interface NewToken {
  readonly token: string
  /** `sha256:` and the digest, as documents have it. */
  readonly digest: string
}

/** Makes a token of 256 random bits, in characters that any header and file takes. */
export function makeToken(context: CommandContext): NewToken {
  const token = Buffer.from(context.randomBytes(32)).toString('base64url')
  return { token, digest: digestOf(token) }
}

/** `sha256:` and the digest of a token. */
export function digestOf(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`
}

/** Asks before a file with another token is replaced: before anything is written. */
export function confirmTokenFile(context: CommandContext, { tokenFile, yes }: TokenFlags): Promise<void> {
  return confirmOverwrite(context, tokenFile === undefined ? [] : [tokenFile], yes)
}

/** Writes the token to its file of mode 0600. Without a file the caller of this function shows the token, this once. */
export async function writeToken(
  context: CommandContext,
  { token }: NewToken,
  { tokenFile }: TokenFlags,
): Promise<void> {
  if (tokenFile === undefined) return
  await context.files.write(tokenFile, token, { secret: true })
  note(context, `wrote the token to ${tokenFile}, mode 0600`)
}
