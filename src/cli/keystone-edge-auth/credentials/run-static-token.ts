import { parseAuthenticators } from '../../../mapping/authenticators.ts'
import { looksLikeSystemName } from '../../../mapping/names.ts'
import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson, printLines } from '../output.ts'
import { confirm } from '../prompts.ts'
import { readForEdit, unwrap, writeEdited } from './document-file.ts'
import { addStaticToken, listStaticTokens, removeStaticToken } from './edit-static-tokens.ts'
import { confirmTokenFile, makeToken, type TokenFlags, writeToken } from './new-token.ts'

const parse = (document: unknown) => parseAuthenticators(document, '')

export interface AddStaticFlags extends TokenFlags {
  readonly file: string
  readonly uid?: string
  readonly group?: readonly string[]
  readonly expires?: string
}

/** Runs `static-token add USERNAME`. */
export async function addStaticCommand(this: CommandContext, flags: AddStaticFlags, username: string): Promise<void> {
  const { file, uid, group = [], expires } = flags
  if (group.some(looksLikeSystemName))
    throw usageError('a system: group is not given here', 'write it into the document, and into system-groups')
  const document = await readForEdit(this, file, parse)
  await confirmTokenFile(this, flags)
  const made = makeToken(this)
  const entry = {
    token: made.digest,
    username,
    ...(uid !== undefined && { uid }),
    ...(group.length > 0 && { groups: group }),
    ...(expires !== undefined && { expires: toTime(expires, this.now()) }),
  }
  const edited = addStaticToken(document, entry)
  unwrap(firstFault(parse(edited)))
  await writeToken(this, made, flags)
  await writeEdited(this, file, edited, parse)
  const shown = flags.tokenFile === undefined ? { token: made.token } : { tokenFile: flags.tokenFile }
  if (flags.output === 'json') printJson(this, { username, digest: made.digest, ...shown })
  else if (flags.tokenFile === undefined) {
    note(this, `${file}: ${username} has a new token, which is shown this once:`)
    printLines(this, [made.token])
  } else note(this, `${file}: ${username} has a new token`)
}

/** The edit is checked before the token is written: nothing half done. */
function firstFault(parsed: ReturnType<typeof parse>) {
  if (parsed.ok) return parsed
  const [fault] = parsed.error
  return { ok: false, error: `the edit is refused: ${fault?.path} ${fault?.message}` } as const
}

/** A time as it is, or `90d` and `12h` from now. */
function toTime(text: string, nowMs: number): string {
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? []
  if (count === undefined) return text
  const hours = Number(count) * (unit === 'd' ? 24 : 1)
  return new Date(nowMs + hours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Runs `static-token list`. */
export async function listStaticCommand(
  this: CommandContext,
  flags: { readonly file: string; readonly output: 'text' | 'json' },
): Promise<void> {
  const tokens = listStaticTokens(await readForEdit(this, flags.file, parse))
  if (flags.output === 'json') return printJson(this, tokens)
  const lines = tokens.map(({ token, username, groups = [], expires }) => {
    const until =
      expires === undefined
        ? 'never expires'
        : `${Date.parse(expires) <= this.now() ? 'expired' : 'expires'} ${expires}`
    return `${username}  ${token}  ${until}${groups.length > 0 ? `  groups ${groups.join(', ')}` : ''}`
  })
  printLines(this, lines)
}

/** Runs `static-token remove USERNAME|DIGEST`. */
export async function removeStaticCommand(
  this: CommandContext,
  flags: { readonly file: string; readonly yes: boolean; readonly output: 'text' | 'json' },
  which: string,
): Promise<void> {
  const edited = unwrap(removeStaticToken(await readForEdit(this, flags.file, parse), which))
  await confirm(this, `Remove the static token of ${which}?`, flags.yes)
  await writeEdited(this, flags.file, edited, parse)
  if (flags.output === 'json') printJson(this, listStaticTokens(edited))
  else printLines(this, [`${flags.file}: removed the static token of ${which}`])
}
