import { createHash } from 'node:crypto'
import type { CommandContext } from '../context.ts'
import type { Draft } from '../files.ts'
import { note, printJson, printLines } from '../output.ts'
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

/** The file of the token, of mode 0600, as a draft; nothing where the token is to be shown. */
export function draftToken(
  context: CommandContext,
  { token }: NewToken,
  { tokenFile }: TokenFlags,
): (() => Promise<Draft>) | undefined {
  return tokenFile === undefined ? undefined : () => context.files.draftSecret(tokenFile, token)
}

/** Says where the token is, or shows it, this once. */
export function showToken(
  context: CommandContext,
  { token }: NewToken,
  about: { readonly name: string; readonly owner: string; readonly json: object },
  { tokenFile, output }: TokenFlags,
): void {
  const shown = tokenFile === undefined ? { token } : { tokenFile }
  if (output === 'json') printJson(context, { ...about.json, ...shown })
  else if (tokenFile !== undefined)
    note(context, `${about.name}: ${about.owner} has a new token, in ${tokenFile}, mode 0600`)
  else {
    note(context, `${about.name}: ${about.owner} has a new token, which is shown this once:`)
    printLines(context, [token])
  }
}
