import * as v from 'valibot'
import { strictObject } from '../lib/strict-object.ts'
import { Literal, partOfName, SystemGroups } from './mapping-document.ts'

// The language of the document `authenticators`, as a schema: the JSON Schema file in schemas/ is generated from it.

const Username = partOfName('no user from here')
/** A token itself in its place is a fault, and the message must not repeat it. */
const Digest = v.pipe(
  v.string('expected sha256: and 64 lower-case hex digits'),
  v.regex(
    /^sha256:[0-9a-f]{64}$/,
    'expected sha256: and 64 lower-case hex digits; if this is the token itself, everybody who reads this document has it: make a new one',
  ),
)
const Groups = v.optional(v.array(Literal, 'expected a list of groups'), [])
const EXPIRES = 'expected a time such as 2027-01-01T00:00:00Z'
const Time = v.pipe(
  v.string(EXPIRES),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/, EXPIRES),
  v.check((text) => !Number.isNaN(Date.parse(text)) && hasDay(text), EXPIRES),
)

/** The engine takes 30 February for 2 March. */
function hasDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}

const StaticToken = strictObject(
  {
    token: Digest,
    username: v.pipe(Username, v.nonEmpty('expected text')),
    uid: v.optional(Literal),
    groups: Groups,
    expires: v.optional(Time),
  },
  'expected an object with token, username, uid, groups and expires',
)

/** Literal text, then `{user}`, then maybe more text. */
const BasicUsername = v.pipe(
  Username,
  v.check((text) => text.split('{user}').length === 2, 'needs {user} once'),
  v.check((text) => !text.startsWith('{'), 'starts with a placeholder: put text before it, such as basic:{user}'),
  v.check(
    (text) => !/[{}]/.test(text.replace('{user}', '')),
    'has a brace that belongs to no placeholder; there is {user}',
  ),
)

const Basic = strictObject(
  {
    username: v.optional(BasicUsername, 'basic:{user}'),
    groups: Groups,
    users: v.optional(
      v.record(v.string(), v.array(Literal, 'expected a list of groups'), 'expected an object of lists of groups'),
      {},
    ),
  },
  'expected an object with username, groups and users',
)

/** The document `authenticators`. */
export const AuthenticatorsDocumentSchema = strictObject(
  {
    $schema: v.optional(v.string('expected a string')),
    static: v.optional(v.array(StaticToken, 'expected a list of tokens'), []),
    basic: v.optional(Basic),
    'system-groups': v.optional(SystemGroups, []),
  },
  'expected an object with static, basic and system-groups',
)

export type AuthenticatorsDocument = v.InferOutput<typeof AuthenticatorsDocumentSchema>
