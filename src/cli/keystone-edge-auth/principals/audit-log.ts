import { isKeystoneDomainId } from '../../../keystone/ids.ts'
import type { MappingExample } from '../../../mapping/mapping-document.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { isObject } from '../facts/read-facts.ts'
import { note } from '../output.ts'

/** What the Worker's audit log tells of a user: it has names of Kubernetes only, no roles and no projects. */
export interface AuditedUser {
  /** The user name in Kubernetes. */
  readonly user: string
  /** The places of the entries of the policy that allowed requests of this user. */
  readonly entries: readonly number[]
}

const MAX_BYTES = 64 * 1024 * 1024

/** Reads the users whom an audit log of the Worker names as users of Keystone: one JSON object a line, as it is written. */
export async function readAuditedUsers(context: CommandContext, file: string): Promise<readonly AuditedUser[]> {
  const bytes = await context.files.read(file, MAX_BYTES)
  if (bytes.length > MAX_BYTES)
    throw new CommandError(EXIT.fault, `${file} is larger than 64 MiB`, 'give its end: tail -n 100000 FILE')
  const entries = new Map<string, Set<number>>()
  let others = 0
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    if (line.trim() === '') continue
    const found = parseLine(line)
    if (found === undefined) others += 1
    else {
      const known = entries.get(found.user) ?? new Set()
      if (found.entry !== undefined) known.add(found.entry)
      entries.set(found.user, known)
    }
  }
  if (entries.size === 0)
    throw new CommandError(
      EXIT.fault,
      `${file} has no audit lines with users of Keystone`,
      'expected lines of the Worker',
    )
  if (others > 0) note(context, `${file}: passed over ${others} other lines`)
  return [...entries].map(([user, places]) => ({ user, entries: [...places] }))
}

/** Static and basic users are none of Keystone's. */
function parseLine(line: string): { readonly user: string; readonly entry: number | undefined } | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(value) || value.event !== 'review' || typeof value.user !== 'string' || value.user === '')
    return undefined
  const { user, source, reason } = value
  if (source === 'static' || source === 'basic' || reason === 'not_keystone' || user.startsWith('system:'))
    return undefined
  const [, place] = /^policy (?:policies)?\[(\d+)\]/.exec(typeof reason === 'string' ? reason : '') ?? []
  return { user, entry: place === undefined ? undefined : Number(place) }
}

/** The facts of Keystone that the name of a user holds, where the mapping is the default: other domains are in the name. */
export function toFactsOfName(user: string): MappingExample {
  const at = user.lastIndexOf('@')
  const domain = user.slice(at + 1)
  return at > 0 && isKeystoneDomainId(domain) ? { user: user.slice(0, at), domain } : { user }
}
