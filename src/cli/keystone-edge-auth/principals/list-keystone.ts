import * as v from 'valibot'
import type { Unavailable } from '../../../keystone/unavailable.ts'
import { CommandError, EXIT } from '../command-error.ts'
import type { AskKeystone } from './administrator.ts'

const Named = v.object({ id: v.string(), name: v.string() })
const InDomain = v.object({ ...Named.entries, domain: Named })
const AssignmentSchema = v.object({
  role: Named,
  user: v.optional(InDomain),
  scope: v.object({
    project: v.optional(InDomain),
    domain: v.optional(Named),
    system: v.optional(v.unknown()),
  }),
})
const GroupSchema = v.object({ id: v.string(), name: v.string(), domain_id: v.string() })
const UserSchema = v.object({ id: v.string() })

/** A role of a user on a project, on a domain, or on the system. */
export type Assignment = v.InferOutput<typeof AssignmentSchema>
export type Group = v.InferOutput<typeof GroupSchema>

/** 100,000 assignments with names are about 60 MB. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024
const MAX_PAGES = 10_000

/** Every role that every user has, also those by groups, inheritance and implication. */
export function listAssignments(ask: AskKeystone): Promise<readonly Assignment[]> {
  return list(
    ask,
    { path: '/role_assignments', query: 'effective&include_names', key: 'role_assignments' },
    AssignmentSchema,
  )
}

export function listGroups(ask: AskKeystone): Promise<readonly Group[]> {
  return list(ask, { path: '/groups', query: '', key: 'groups' }, GroupSchema)
}

/** The ids of the users in a group. */
export async function listMembers(ask: AskKeystone, groupId: string): Promise<readonly string[]> {
  const path = `/groups/${encodeURIComponent(groupId)}/users`
  return (await list(ask, { path, query: '', key: 'users' }, UserSchema)).map(({ id }) => id)
}

interface Collection {
  readonly path: string
  readonly query: string
  /** Of the list in the answer. */
  readonly key: string
}

/** All pages of a collection. What cannot be read ends the command. */
async function list<T>(
  ask: AskKeystone,
  { path, query, key }: Collection,
  schema: v.GenericSchema<unknown, T>,
): Promise<readonly T[]> {
  const Page = v.object({ [key]: v.array(v.unknown()), links: v.optional(v.object({ next: v.nullish(v.string()) })) })
  const found: T[] = []
  let next: string | undefined = query
  for (let page = 0; next !== undefined; page += 1) {
    if (page === MAX_PAGES) throw unreadable(path, 'has no last page')
    const answer = await ask(next === '' ? path : `${path}?${next}`, MAX_ANSWER_BYTES)
    if (!answer.ok) throw unreadable(path, describe(answer.error))
    const { status, body } = answer.value
    if (status === 401 || status === 403)
      throw unreadable(path, `is refused (${status})`, 'log in as a user with the role admin or reader on the system')
    const parsed = v.safeParse(Page, body)
    const items = parsed.success ? v.safeParse(v.array(schema), parsed.output[key]) : undefined
    if (status !== 200 || !parsed.success || items?.success !== true)
      throw unreadable(path, status === 200 ? 'is no such list' : `answers with ${status}`)
    for (const item of items.output) found.push(item)
    const following = toQuery(parsed.output.links)
    if (following === next) throw unreadable(path, 'has a page that follows itself')
    next = following
  }
  return found
}

/** Only the query: a link can name another host, which must not get the token. */
function toQuery(links: unknown): string | undefined {
  const url = typeof links === 'object' && links !== null && 'next' in links ? links.next : undefined
  if (typeof url !== 'string') return undefined
  const at = url.indexOf('?')
  return at === -1 ? undefined : url.slice(at + 1)
}

function describe({ cause }: Unavailable): string {
  return cause === 'too_large' ? `is larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB` : `cannot be read (${cause})`
}

function unreadable(path: string, what: string, hint?: string): CommandError {
  return new CommandError(EXIT.unreachable, `Keystone's ${path} ${what}`, hint)
}
