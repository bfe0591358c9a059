import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../../src/keystone/identity.ts'
import { isKeystoneDomainId, isKeystoneId } from '../../../src/keystone/ids.ts'
import { hasHiddenCharacter } from '../../../src/lib/hidden-characters.ts'
import type { CompiledMapping } from '../../../src/mapping/compiled-mapping.ts'
import { explainMapping } from '../../../src/mapping/explain-mapping.ts'
import { fold } from '../../../src/mapping/names.ts'
import { parseMapping } from '../../../src/mapping/parse-mapping.ts'
import {
  type AnyDocument,
  anyDocument,
  homeDomain,
  hostileIdentity,
  imitate,
  namesake,
  usernames,
} from './hostile-facts.ts'

// Raise it to hunt. The machine may be busy: what matters here is that it holds, not how fast.
const RUNS = { numRuns: 2_000 }
vi.setConfig({ testTimeout: 60_000 })

interface Case {
  readonly document: AnyDocument
  readonly mapping: CompiledMapping
  readonly home: string
}

/** Documents that hold. */
const holding: fc.Arbitrary<Case> = fc
  .tuple(anyDocument, homeDomain)
  .map(([document, home]) => ({ document, home, parsed: parseMapping(document, { digest: 'x', homeDomain: home }) }))
  .filter(({ parsed }) => parsed.ok)
  .map(({ document, home, parsed }) => {
    if (!parsed.ok) throw new Error('filtered above')
    return { document, home, mapping: parsed.value, [fc.toStringMethod]: () => JSON.stringify({ document, home }) }
  })

const isLiteral = (text: string): boolean => !text.includes('{')

/** The literal groups that the rules grant which this identity meets, each by its rule. */
function grantedLiterals({ document, mapping }: Case, identity: Identity): Set<string> {
  const met = new Set(explainMapping(mapping, identity).rules.flatMap(({ path, applied }) => (applied ? path : [])))
  return new Set([
    ...(document.rules ?? []).flatMap(({ groups = [] }, index) =>
      met.has(`rules[${index}]`) ? groups.filter(isLiteral) : [],
    ),
    ...(document['role-mappings'] ?? []).flatMap(({ groups }, index) =>
      met.has(`role-mappings[${index}]`) ? groups : [],
    ),
  ])
}

/** The literal user names of the document: for everybody, and of the rules that this identity meets or does not. */
function literalUsernames({ document, mapping }: Case, identity?: Identity): Set<string> {
  const rules = identity && explainMapping(mapping, identity).rules
  const met = (path: string): boolean => rules === undefined || rules.some((rule) => rule.path === path && rule.applied)
  const names = [
    document.username,
    ...(document.rules ?? []).map(({ username }, index) => (met(`rules[${index}]`) ? username : undefined)),
  ].filter((name) => name !== undefined && isLiteral(name))
  const mapped = (document['role-mappings'] ?? []).filter((_, index) => met(`role-mappings[${index}]`))
  return new Set([...names, ...mapped.map(({ username }) => username)].filter((name) => name !== undefined))
}

const everyLiteral = ({ document }: Case): Set<string> =>
  new Set([
    ...(document.rules ?? []).flatMap(({ groups = [] }) => groups.filter(isLiteral)),
    ...(document['role-mappings'] ?? []).flatMap(({ groups }) => groups),
  ])

/** Groups that are made of ids alone, which are nobody's choice. */
function madeOfIds({ document }: Case, { user, scope }: Identity): Set<string> {
  const project = scope.kind === 'project' ? scope : undefined
  const values: Record<string, string | undefined> = {
    'user.id': user.id,
    'user.domain.id': user.domain.id,
    'project.id': project?.id,
    'project.domain.id': project?.domain.id,
  }
  const fill = (template: string): string => template.replaceAll(/\{([^}]*)\}/g, (all, hole) => values[hole] ?? all)
  const templates = (document.rules ?? []).flatMap(({ groups = [] }) => groups.filter((group) => !isLiteral(group)))
  return new Set([...templates, `${document.groups?.prefix ?? ''}{project.id}`].map(fill))
}

function idsOf({ user, scope, groups }: Identity): string[] {
  const project = scope.kind === 'project' ? [scope.id, scope.domain.id] : []
  const ofGroups = Array.isArray(groups) ? groups.flatMap(({ domainId }) => domainId ?? []) : []
  return [user.id, user.domain.id, ...project, ...ofGroups]
}

/** Asserts something of every user that a document makes of hostile facts. */
function forAllUsers(
  assert: (all: { made: Case; identity: Identity; username: string; groups: readonly string[] }) => void,
) {
  fc.assert(
    fc.property(holding, hostileIdentity, (made, identity) => {
      const mapped = made.mapping.toUser(identity)
      if (mapped.ok) assert({ made, identity, ...mapped.value.user })
    }),
    RUNS,
  )
}

/**
 * Whether Keystone can have both: it gives an id once, and a local user's name once in a domain. Names of federated users
 * are not unique, and the mapping tells them apart by their provider only.
 */
function areTwo(one: Identity, two: Identity): boolean {
  if (one.user.id === two.user.id) return false
  if (one.identityProvider !== two.identityProvider) return true
  const hasOwnName = one.user.name !== two.user.name
  return hasOwnName || (one.identityProvider === undefined && one.user.domain.id !== two.user.domain.id)
}

describe('for all documents and all Keystone facts', () => {
  it('no name is, or looks like, one of the system, but for a literal that system-groups lists', () => {
    forAllUsers(({ made, identity, username, groups }) => {
      const granted = grantedLiterals(made, identity)
      const listed = new Set<string>(made.document['system-groups'])
      expect(fold(username).startsWith('system:')).toBe(false)
      for (const group of groups) {
        if (fold(group).startsWith('system:')) expect(granted.has(group) && listed.has(group)).toBe(true)
      }
    })
  })

  it('no name is empty or holds a character that cannot be seen', () => {
    forAllUsers(({ username, groups }) => {
      for (const name of [username, ...groups])
        expect([name, name !== '', hasHiddenCharacter(name)]).toEqual([name, true, false])
    })
  })

  it('nobody reaches a literal group of the document but by its rule', () => {
    forAllUsers(({ made, identity, groups }) => {
      const granted = grantedLiterals(made, identity)
      const literals = everyLiteral(made)
      const ofIds = madeOfIds(made, identity)
      for (const group of groups) {
        if (literals.has(group)) expect(granted.has(group) || ofIds.has(group)).toBe(true)
      }
    })
  })

  it('no group reads as an id but the id of the project', () => {
    forAllUsers(({ made, identity, groups }) => {
      const own = identity.scope.kind === 'project' ? identity.scope.id : undefined
      const granted = grantedLiterals(made, identity)
      const prefix = made.document.groups?.prefix ?? ''
      const ofIds = madeOfIds(made, identity)
      for (const group of groups) {
        if (granted.has(group) || ofIds.has(group)) continue
        if (isKeystoneId(fold(group))) expect(group).toBe(own)
        // What stands behind the prefix is the project's id, or no id.
        if (prefix !== '' && group.startsWith(prefix) && isKeystoneId(fold(group.slice(prefix.length)))) {
          expect(group).toBe(prefix + own)
        }
      }
    })
  })

  it('no group ends like a name of a domain that the token has nothing to do with', () => {
    forAllUsers(({ made, identity, groups }) => {
      const granted = grantedLiterals(made, identity)
      const known = [made.home, ...idsOf(identity)]
      const ofIds = madeOfIds(made, identity)
      for (const group of groups) {
        const tail = group.includes('@') ? group.slice(group.lastIndexOf('@') + 1) : ''
        if (isKeystoneDomainId(tail) && !granted.has(group) && !ofIds.has(group)) expect(known).toContain(tail)
      }
    })
  })

  it('nobody reaches a literal user name but by its rule', () => {
    forAllUsers(({ made, identity, username }) => {
      if (literalUsernames(made).has(username)) expect([...literalUsernames(made, identity)]).toContain(username)
    })
  })

  it('no two users get one name, unless the document gives a literal one', () => {
    fc.assert(
      fc.property(holding, hostileIdentity, hostileIdentity, (made, one, two) => {
        if (!areTwo(one, two)) return
        const [first, second] = [made.mapping.toUser(one), made.mapping.toUser(two)]
        if (!first.ok || !second.ok || literalUsernames(made).has(first.value.user.username)) return
        expect(first.value.user.username).not.toBe(second.value.user.username)
      }),
      RUNS,
    )
  })

  it('nobody gets the name of another user by choosing names that are cut out of it', () => {
    fc.assert(
      fc.property(usernames, homeDomain, namesake, namesake, ([username, ofMembers, ofAdmins], home, victim, other) => {
        const rules = [
          { role: 'member', username: ofMembers },
          { role: 'admin', username: ofAdmins },
        ]
        const parsed = parseMapping({ username, rules }, { digest: 'x', homeDomain: home })
        const mapped = parsed.ok ? parsed.value.toUser(victim) : undefined
        if (!parsed.ok || !mapped?.ok) return
        for (const attacker of imitate(mapped.value.user.username, other)) {
          const second = parsed.value.toUser(attacker)
          if (!second.ok || !areTwo(victim, attacker)) continue
          expect(second.value.user.username, JSON.stringify(attacker)).not.toBe(mapped.value.user.username)
        }
      }),
      { numRuns: RUNS.numRuns / 2 },
    )
  })

  it('mapping and explaining never throw', () => {
    fc.assert(
      fc.property(holding, hostileIdentity, ({ mapping }, identity) => {
        const explained = explainMapping(mapping, identity)
        expect(explained.result).toEqual(mapping.toUser(identity))
        expect(typeof mapping.readsGroups(identity)).toBe('boolean')
      }),
      RUNS,
    )
  })
})

describe('for all JSON', () => {
  const keys = fc.constantFrom(
    'allow',
    'deny',
    'username',
    'groups',
    'extra',
    'rules',
    'role-mappings',
    'examples',
    '__proto__',
  )
  const value = fc.oneof(anyDocument, fc.jsonValue({ maxDepth: 3 }), fc.array(fc.jsonValue({ maxDepth: 2 })))

  it('parsing never throws, and what holds maps everybody without throwing', () => {
    const anything = fc.oneof(
      value,
      fc.dictionary(keys, value),
      fc.tuple(keys, value, anyDocument).map(([key, wrong, rest]) => ({ ...rest, [key]: wrong })),
    )
    fc.assert(
      fc.property(anything, hostileIdentity, (document, identity) => {
        const parsed = parseMapping(document, { digest: 'x', homeDomain: 'default' })
        if (parsed.ok) parsed.value.toUser(identity)
        else
          for (const { path, message } of parsed.error)
            expect([typeof path, message]).toEqual(['string', expect.stringMatching(/./)])
      }),
      RUNS,
    )
  })
})
