import * as v from 'valibot'
import type { UserInfo } from '../k8s/token-review.ts'
import { type Fault, toFaults, type Warning } from '../lib/fault.ts'
import { hasHiddenCharacter } from '../lib/hidden-characters.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { type AuthenticatorsDocument, AuthenticatorsDocumentSchema } from './authenticators-document.ts'
import type { Mapping } from './mapping.ts'
import { findUnlisted, looksLikeSystemName } from './names.ts'

/** A user whom a static token names. */
export interface StaticUser {
  readonly user: UserInfo
  /** In epoch milliseconds; `undefined`: never. */
  readonly expiresAtMs: number | undefined
}

/** What vouches for a token besides Keystone. */
export interface Authenticators {
  /** Names the version of the document. */
  readonly digest: string
  /** By the SHA-256 of the token, as hex. */
  readonly staticUsers: ReadonlyMap<string, StaticUser>
  /** The Kubernetes user of an HTTP Basic user name; `undefined` for a name that could pass as another one. */
  readonly basicUser: (name: string) => UserInfo | undefined
  /** Whether the document gives a user name, so that no user of Keystone may have it. */
  readonly isTaken: (username: string) => boolean
  /** What has expired, for operators. */
  readonly warnings: (nowMs: number) => readonly Warning[]
  /** Memory, in units of about half a KiB. */
  readonly size: number
}

const MAX_SIZE = 30_000

/** Reads the document `authenticators`. Faults are named all at once, and repeat no token. */
export function parseAuthenticators(document: unknown, digest: string): Result<Authenticators, readonly Fault[]> {
  const parsed = v.safeParse(AuthenticatorsDocumentSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const { output } = parsed
  const size = sizeOf(output)
  if (size > MAX_SIZE)
    return err([{ path: '', message: `has ${size} tokens, users and groups, and ${MAX_SIZE} is the limit` }])
  const faults = [...findDuplicates(output), ...findSystemGroups(output)]
  return faults.length > 0 ? err(faults) : ok(compile(output, digest, size))
}

/** The authenticators while there is no document: no static token, and the default names for HTTP Basic. */
export const NO_AUTHENTICATORS: Authenticators = compile({ static: [], 'system-groups': [] }, '', 0)

function compile(document: AuthenticatorsDocument, digest: string, size: number): Authenticators {
  const { username: template = 'basic:{user}', groups = [], users = {} } = document.basic ?? {}
  const before = template.slice(0, template.indexOf('{user}'))
  const usernames = new Set(document.static.map(({ username }) => username))
  return {
    digest,
    size,
    staticUsers: new Map(document.static.map((entry) => [entry.token.slice('sha256:'.length), toStaticUser(entry)])),
    basicUser(name) {
      const own = Object.hasOwn(users, name) ? (users[name] ?? []) : []
      const username = template.replace('{user}', () => name)
      const passesAsOther = [name, username].some(looksLikeSystemName) || usernames.has(username)
      if (name === '' || hasHiddenCharacter(name) || passesAsOther) return undefined
      return toUser({ username, groups: [...groups, ...own] }, 'basic')
    },
    isTaken: (username) => usernames.has(username) || username.startsWith(before),
    warnings: (nowMs) =>
      document.static.flatMap(({ expires }, index) =>
        expires !== undefined && Date.parse(expires) <= nowMs
          ? [{ path: `static[${index}].expires`, message: 'is past: the token is refused' }]
          : [],
      ),
  }
}

function toStaticUser({ username, uid, groups, expires }: AuthenticatorsDocument['static'][number]): StaticUser {
  return {
    user: toUser({ username, uid, groups }, 'static'),
    expiresAtMs: expires === undefined ? undefined : Date.parse(expires),
  }
}

/** Without Keystone's `extra` keys, so that policies have no opinion about such a user. */
function toUser(
  { username, uid = username, groups }: { username: string; uid?: string | undefined; groups: readonly string[] },
  authenticator: 'static' | 'basic',
): UserInfo {
  const extra = { 'keystone-edge-auth/authenticator': [authenticator] }
  return { username, uid, groups: [...new Set(groups)].sort(), extra }
}

function sizeOf({ static: tokens, basic }: AuthenticatorsDocument): number {
  const lists = [...tokens.map(({ groups }) => groups), basic?.groups ?? [], ...Object.values(basic?.users ?? {})]
  return lists.reduce((sum, list) => sum + 1 + list.length, 0)
}

function findDuplicates({ static: tokens }: AuthenticatorsDocument): Fault[] {
  const seen = new Set<string>()
  return tokens.flatMap(({ token }, index) => {
    const isAgain = seen.has(token)
    seen.add(token)
    return isAgain ? [{ path: `static[${index}].token`, message: 'is there twice: it would name two users' }] : []
  })
}

function findSystemGroups(document: AuthenticatorsDocument): Fault[] {
  const { groups = [], users = {} } = document.basic ?? {}
  const listed = new Set(document['system-groups'])
  return [
    ...document.static.flatMap((entry, index) => findUnlisted(`static[${index}].groups`, entry.groups, listed)),
    ...findUnlisted('basic.groups', groups, listed),
    ...Object.entries(users).flatMap(([name, own]) => findUnlisted(`basic.users.${name}`, own, listed)),
  ]
}

/** The mapping, which refuses every user of Keystone whose name the document gives to others. */
export function reserveNames(mapping: Mapping, { digest, isTaken }: Authenticators): Mapping {
  return {
    digest: `${mapping.digest} ${digest}`,
    size: mapping.size,
    readsGroups: mapping.readsGroups,
    toUser(identity) {
      const mapped = mapping.toUser(identity)
      return mapped.ok && isTaken(mapped.value.user.username) ? err({ reason: 'reserved_name' }) : mapped
    },
  }
}
