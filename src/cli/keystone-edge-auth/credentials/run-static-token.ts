import { parseAuthenticators } from '../../../mapping/authenticators.ts'
import { looksLikeSystemName } from '../../../mapping/names.ts'
import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { printJson, printLines } from '../output.ts'
import { addStaticToken, listStaticTokens, removeStaticToken } from './edit-static-tokens.ts'
import { type Editable, type ListFlags, openTarget, type TargetFlags, unwrap } from './edit-target.ts'
import { confirmTokenFile, draftToken, makeToken, showToken, type TokenFlags } from './new-token.ts'

const AUTHENTICATORS: Editable = { kind: 'authenticators', parse: (document) => parseAuthenticators(document, '') }

export interface AddStaticFlags extends TargetFlags, TokenFlags {
  readonly yes: boolean
  readonly output: 'text' | 'json'
  readonly uid?: string
  readonly group?: readonly string[]
  readonly expires?: string
}

/** Runs `static-token add USERNAME`. */
export async function addStaticCommand(this: CommandContext, flags: AddStaticFlags, username: string): Promise<void> {
  const { uid, group = [], expires } = flags
  if (group.some(looksLikeSystemName))
    throw usageError('a system: group is not given here', 'write it into the document, and into system-groups')
  const target = await openTarget(this, flags, AUTHENTICATORS)
  await confirmTokenFile(this, flags)
  const made = makeToken(this)
  const entry = {
    token: made.digest,
    username,
    ...(uid !== undefined && { uid }),
    ...(group.length > 0 && { groups: group }),
    ...(expires !== undefined && { expires: toTime(expires, this.now()) }),
  }
  const draft = draftToken(this, made, flags)
  await target.save(addStaticToken(target.document, entry), { ...(draft && { draft }) })
  const json = { username, digest: made.digest }
  showToken(this, made, { name: target.name, owner: username, json }, flags)
  await target.settle()
}

/** A time as it is, or `90d` and `12h` from now. */
function toTime(text: string, nowMs: number): string {
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? []
  if (count === undefined) return text
  const hours = Number(count) * (unit === 'd' ? 24 : 1)
  return new Date(nowMs + hours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Runs `static-token list`. */
export async function listStaticCommand(this: CommandContext, flags: ListFlags): Promise<void> {
  const { document } = await openTarget(this, { ...flags, yes: false }, AUTHENTICATORS)
  const tokens = listStaticTokens(document)
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
export async function removeStaticCommand(this: CommandContext, flags: TargetFlags, which: string): Promise<void> {
  const target = await openTarget(this, flags, AUTHENTICATORS)
  const edited = unwrap(removeStaticToken(target.document, which))
  await target.save(edited, { question: `Remove the static token of ${which}?` })
  if (flags.output === 'json') printJson(this, listStaticTokens(edited))
  else printLines(this, [`${target.name}: removed the static token of ${which}`])
  await target.settle()
}
