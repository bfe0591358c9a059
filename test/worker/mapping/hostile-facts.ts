import fc from 'fast-check'
import type { Identity } from '../../../src/keystone/identity.ts'

// Texts that meet often: names, domains and literals are put together from the same few pieces, so that one chosen by a
// tenant now and then is what the document writes, or what a template makes of somebody else.
const DOMAIN_IDS = ['default', 'd'.repeat(32), '0'.repeat(64)]
const PROJECT_ID = 'e'.repeat(32)
const USER_ID = 'a'.repeat(32)
const WORDS = ['a', 'b', 'admins', 'demo', ':', '-', '@', '@', '-x', ' ']
const TRAPS = [
  ...DOMAIN_IDS,
  PROJECT_ID,
  USER_ID,
  'D'.repeat(32),
  'system:',
  'ＳＹＳＴＥＭ：',
  'sys',
  'tem:',
  '\u200b',
  '\u202e',
  '{',
  '@default',
  '@idp:',
  '@idp:corp',
  'İ',
  'ſ',
]

const word = fc.constantFrom(...WORDS)
const piece = fc.oneof({ weight: 4, arbitrary: word }, { weight: 1, arbitrary: fc.constantFrom(...TRAPS) })
const joined = (pieces: fc.Arbitrary<string>, minLength: number, maxLength: number) =>
  fc.array(pieces, { minLength, maxLength }).map((parts) => parts.join(''))

/** A name as a tenant may choose it. */
const hostileName = fc.oneof(
  { weight: 6, arbitrary: joined(piece, 0, 4) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  { weight: 4, arbitrary: fc.constantFrom('admins', 'a:b', 'demo', 'a', 'system:masters', 'ＳＹＳＴＥＭ：masters') },
)
const domain = fc.record({
  id: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...DOMAIN_IDS) }, { weight: 1, arbitrary: hostileName }),
  name: hostileName,
})
const id = (usual: string) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(usual, '1'.repeat(32), '2'.repeat(64)) },
    { weight: 1, arbitrary: hostileName },
  )
const named = (usual: string) => ({ id: id(usual), name: hostileName, domain })
const roles = fc.array(
  fc.record({ id: id('5'.repeat(32)), name: fc.oneof(fc.constantFrom('member', 'admin', 'a'), hostileName) }),
  { maxLength: 3 },
)
const group = fc.oneof(
  fc.record({ id: id('3'.repeat(32)), name: hostileName, domainId: domain.map((one) => one.id) }),
  fc.record({ id: id('3'.repeat(32)) }),
)

/** What a hostile Keystone may say of a token. */
export const hostileIdentity: fc.Arbitrary<Identity> = fc
  .tuple(
    fc.record({
      user: fc.record(named(USER_ID)),
      scope: fc.oneof(
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('project' as const), ...named(PROJECT_ID) }) },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constant('domain' as const), id: id('default'), name: hostileName }),
        },
        { weight: 1, arbitrary: fc.constantFrom({ kind: 'system' as const }, { kind: 'unscoped' as const }) },
      ),
      roles,
      methods: fc.constant<string[]>(['password']),
      auditIds: fc.array(hostileName, { maxLength: 1 }),
      groups: fc.oneof(
        { weight: 6, arbitrary: fc.array(group, { maxLength: 3 }) },
        { weight: 1, arbitrary: fc.constantFrom('refused' as const, 'not_read' as const) },
      ),
      expiresAtMs: fc.constant(1),
    }),
    fc.option(fc.oneof(fc.constantFrom('corp', 'corp@default', 'idp'), hostileName), { nil: undefined, freq: 3 }),
  )
  .map(([facts, identityProvider]) => ({ ...facts, ...(identityProvider !== undefined && { identityProvider }) }))

const PLACEHOLDERS = [
  'user.name',
  'user.id',
  'user.domain.name',
  'user.domain.id',
  'project.name',
  'project.id',
  'project.domain.name',
  'project.domain.id',
  'role',
]
const template = (placeholders: readonly string[], maxHoles: number) =>
  fc
    .tuple(
      joined(piece, 0, 2),
      fc.array(fc.tuple(fc.constantFrom(...placeholders), joined(piece, 0, 2)), { maxLength: maxHoles }),
    )
    .map(([before, holes]) => before + holes.map(([hole, following]) => `{${hole}}${following}`).join(''))
const text = joined(piece, 1, 2)
const literal = fc.oneof(text, fc.constantFrom('admins', 'a:b', 'system:masters', 'demo'))
const groups = fc.array(fc.oneof(literal, template(PLACEHOLDERS, 2)), { maxLength: 3 })
const USERNAME_PLACEHOLDERS = [
  'user.name',
  'user.name',
  'user.name',
  'user.id',
  'user.domain.name',
  'user.domain.id',
  'project.name',
  'project.id',
]
const username = fc.oneof(
  template(USERNAME_PLACEHOLDERS, 2),
  template(USERNAME_PLACEHOLDERS, 1),
  fc.constant('{user.name}'),
)
const selector = fc.oneof(text, fc.record({ name: text, domain: fc.constantFrom(...DOMAIN_IDS) }))
const anyOf = <T>(values: fc.Arbitrary<T>) => fc.oneof(values, fc.array(values, { minLength: 1, maxLength: 2 }))
const scope = fc.constantFrom('project', 'domain', 'system', 'unscoped')
const rule = fc.record(
  {
    role: anyOf(fc.constantFrom('member', 'admin', 'a')),
    project: anyOf(selector),
    domain: anyOf(fc.constantFrom(...DOMAIN_IDS)),
    user: anyOf(selector),
    group: anyOf(selector),
    groups,
    username,
  },
  { requiredKeys: [] },
)
const roleMapping = fc.record({
  'keystone-role': fc.constantFrom('member', 'admin'),
  groups: fc.array(literal, { maxLength: 2 }),
  username: fc.oneof(fc.constant(''), literal),
})

/** Documents as administrators might write them, sensible and not; many do not hold. */
export const anyDocument = fc.record(
  {
    allow: fc.record({ scopes: fc.array(scope), domains: fc.array(text) }, { requiredKeys: [] }),
    username,
    groups: fc.record(
      { keystone: fc.boolean(), project: fc.boolean(), prefix: fc.oneof(fc.constant(''), text) },
      { requiredKeys: [] },
    ),
    rules: fc.array(rule, { maxLength: 4 }),
    'role-mappings': fc.array(roleMapping, { maxLength: 2 }),
    'system-groups': fc.constantFrom([], ['system:masters']),
  },
  { requiredKeys: [] },
)
export type AnyDocument = typeof anyDocument extends fc.Arbitrary<infer T> ? T : never
export const homeDomain = fc.constantFrom(...DOMAIN_IDS)

// The same with so few pieces that names and user names often come close to each other.
const FEW = ['a', 'a', 'b', ':', '-x', 'x-', '@', 'default', 'd'.repeat(32)]
const nearName = joined(fc.constantFrom(...FEW), 1, 3)
// Literals between the holes, each of which a name can hold, begin or end.
const nearDomain = fc.constantFrom({ id: 'default', name: 'Default' }, { id: 'd'.repeat(32), name: 'a' })
const between = fc.constantFrom('', ':', '@', '-x-', 'a:', 'b')
const hole = fc.constantFrom('user.name', 'user.name', 'user.name', 'user.id', 'project.name', 'user.domain.name')
const nearUsername = fc.oneof(
  fc.constant('{user.name}'),
  fc.tuple(between, between).map(([before, after]) => `${before}{user.name}${after}`),
  fc.tuple(hole, between, hole).map(([one, middle, two]) => `{${one}}${middle}{${two}}`),
  fc.tuple(between, hole, between, hole, between).map(([a, one, b, two, c]) => `${a}{${one}}${b}{${two}}${c}`),
)

/** Three user names for one document. */
export const usernames = fc.tuple(nearUsername, nearUsername, nearUsername)

/** Somebody whose names are much like everybody's. */
export const namesake: fc.Arbitrary<Identity> = fc
  .record({
    id: fc.constantFrom('1'.repeat(32), '2'.repeat(32), '3'.repeat(32)),
    name: fc.oneof(nearName, fc.constantFrom('1'.repeat(32), `:${'2'.repeat(32)}`)),
    domain: nearDomain,
    projectName: nearName,
    projectDomain: nearDomain,
    roleName: fc.constantFrom('none', 'member', 'admin'),
  })
  .map(({ id, name, domain, projectName, projectDomain, roleName }) => ({
    user: { id, name, domain },
    scope: { kind: 'project', id: PROJECT_ID, name: projectName, domain: projectDomain },
    roles: [{ id: '5'.repeat(32), name: roleName }],
    methods: ['password'],
    auditIds: [],
    groups: [],
    expiresAtMs: 1,
  }))

/** All who choose the names of user and project so that they may render to the text, with every role. */
export function imitate(text: string, somebody: Identity): Identity[] {
  const { user, scope } = somebody
  if (scope.kind !== 'project') return []
  const places = [...text.matchAll(/[:@-]|(?<=[:@-])|^|$|\b/g)].map(({ index }) => index)
  const slices = places.flatMap((from) => places.filter((to) => to > from).map((to) => text.slice(from, to)))
  return slices.flatMap((name, index) =>
    ['none', 'member', 'admin'].map((roleName, turn) => {
      const project = slices[(index * 7 + turn * 3) % slices.length] ?? ''
      const roles = [{ id: '5'.repeat(32), name: roleName }]
      return { ...somebody, user: { ...user, name }, scope: { ...scope, name: project }, roles }
    }),
  )
}
