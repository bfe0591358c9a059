import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/keystone/identity.ts'
import { isKeystoneId } from '../../../src/keystone/ids.ts'
import { hasHiddenCharacter } from '../../../src/lib/hidden-characters.ts'
import { fold } from '../../../src/mapping/names.ts'
import { parseMapping } from '../../../src/mapping/parse-mapping.ts'

/** What the document `{}` means. */
function createDefaultMapping(homeDomain: string) {
  const parsed = parseMapping({}, { digest: 'test', homeDomain })
  if (!parsed.ok) throw new Error('{} is refused')
  return parsed.value
}

const HOME = { id: 'default', name: 'Default' }
const OTHER = { id: 'd'.repeat(32), name: 'other' }
const PROJECT = { kind: 'project' as const, id: 'e'.repeat(32), name: 'demo', domain: HOME }

function identity(facts: Partial<Identity> = {}): Identity {
  return {
    user: { id: 'a'.repeat(32), name: 'alice', domain: HOME },
    scope: PROJECT,
    roles: [{ id: 'r1', name: 'member' }],
    methods: ['password'],
    auditIds: ['x'],
    groups: [],
    expiresAtMs: 1,
    ...facts,
  }
}

const mapping = createDefaultMapping('default')
const named = (name: string, domain = HOME) => mapping.toUser(identity({ user: { id: 'u', name, domain } }))
const grouped = (...groups: { id: string; name?: string; domainId?: string }[]) => {
  const mapped = mapping.toUser(identity({ groups }))
  if (!mapped.ok) throw new Error(mapped.error.reason)
  return { groups: mapped.value.user.groups.filter((group) => group !== PROJECT.id), leftOut: mapped.value.leftOut }
}

describe('the user name', () => {
  const accepted: [string, typeof HOME, string][] = [
    ['alice', HOME, 'alice'],
    ['alice', OTHER, `alice@${OTHER.id}`],
    ['bob@example.com', HOME, 'bob@example.com'],
    [`alice@${OTHER.id}`, OTHER, `alice@${OTHER.id}@${OTHER.id}`],
    ['Jörg Müller', HOME, 'Jörg Müller'],
    ['basic:root', HOME, 'basic:root'],
    ['systemd', HOME, 'systemd'],
    ['系统管理员', HOME, '系统管理员'],
  ]
  for (const [name, domain, username] of accepted) {
    it(`${name} of ${domain.name} is ${username}`, () => {
      expect(named(name, domain)).toMatchObject({ ok: true, value: { user: { username } } })
    })
  }

  const refused: [string, string][] = [
    ['empty', ''],
    ['of the system', 'system:admin'],
    ['of the system in capitals', 'SYSTEM:admin'],
    ['of the system in wide letters', 'ｓｙｓｔｅｍ：admin'],
    ['of the system behind a space', ' system:admin'],
    ['of the system with a zero-width space inside', 'sys\u200btem:admin'],
    ['of the system behind a byte order mark', '\ufeffsystem:admin'],
    ['with a newline', 'alice\nadmin'],
    ['with a NUL', 'alice\0'],
    ['with a right-to-left override', 'alice\u202enimda'],
    ['with a right-to-left isolate', '\u2067alice'],
    ['with a soft hyphen', 'al\u00adice'],
    ['with a Hangul filler', 'alice\u3164'],
    ['with half a surrogate pair', 'alice\ud800'],
    ['that could be qualified', `alice@${OTHER.id}`],
    ['that could be qualified by default', 'alice@default'],
    ['that could be qualified, in capitals', `alice@${OTHER.id.toUpperCase()}`],
    ['that could be qualified, in wide letters', 'alice＠default'],
    ['that could be qualified by an LDAP id', `alice@${'0'.repeat(64)}`],
  ]
  for (const [what, name] of refused) {
    it(`${what} refuses the login`, () =>
      expect(named(name)).toEqual({ ok: false, error: { reason: 'reserved_name' } }))
  }

  it('of a domain whose id is none refuses the login', () => {
    expect(named('alice', { id: 'Federated', name: 'Federated' })).toMatchObject({ ok: false })
    expect(named('', OTHER)).toMatchObject({ ok: false })
  })

  it('of the domain `default` is qualified where another domain is at home', () => {
    const elsewhere = createDefaultMapping(OTHER.id)
    expect(elsewhere.toUser(identity())).toMatchObject({ value: { user: { username: 'alice@default' } } })
  })
})

describe('groups', () => {
  it("are Keystone's, qualified by their own domain, and the project id, sorted and once", () => {
    const mapped = mapping.toUser(
      identity({
        groups: [
          { id: 'g2', name: 'operators', domainId: OTHER.id },
          { id: 'g1', name: 'developers', domainId: 'default' },
          { id: 'g3', name: 'developers', domainId: 'default' },
        ],
      }),
    )
    expect(mapped).toMatchObject({
      value: { user: { groups: ['developers', PROJECT.id, `operators@${OTHER.id}`] }, leftOut: 0 },
    })
  })

  for (const name of [
    'system:masters',
    'System:Masters',
    'f'.repeat(32),
    'F'.repeat(32),
    '0'.repeat(64),
    'a\u200bb',
    'a\nb',
    '',
    `devs@${OTHER.id}`,
  ]) {
    it(`${JSON.stringify(name)} is left out and counted`, () => {
      expect(grouped({ id: 'g', name, domainId: 'default' })).toEqual({ groups: [], leftOut: 1 })
    })
  }

  it('known by id alone name nothing', () => {
    expect(grouped({ id: 'g1' })).toEqual({ groups: [], leftOut: 0 })
  })

  it('that Keystone does not show are none', () => {
    expect(mapping.toUser(identity({ groups: 'refused' }))).toMatchObject({ value: { user: { groups: [PROJECT.id] } } })
  })

  it('a project id that is none is left out', () => {
    const scope = { ...PROJECT, id: 'system:masters' }
    expect(mapping.toUser(identity({ scope }))).toMatchObject({ value: { user: { groups: [] }, leftOut: 1 } })
  })
})

describe('scopes', () => {
  for (const scope of [
    { kind: 'domain' as const, id: 'default', name: 'Default' },
    { kind: 'system' as const },
    { kind: 'unscoped' as const },
  ]) {
    it(`${scope.kind}: not allowed, and its groups are not asked for`, () => {
      expect(mapping.toUser(identity({ scope }))).toEqual({ ok: false, error: { reason: 'not_allowed', by: 'scope' } })
      expect(mapping.readsGroups(identity({ scope }))).toBe(false)
    })
  }
})

describe('extra', () => {
  it('has keys in lower case, sorted roles, and nothing empty', () => {
    const mapped = mapping.toUser(
      identity({
        roles: ['reader', 'member', 'reader', ''].map((name) => ({ id: name, name })),
        methods: ['token', 'application_credential'],
        applicationCredentialId: 'ac1',
        trustId: 't1',
        auditIds: [],
      }),
    )
    if (!mapped.ok) throw new Error('refused')
    const { extra } = mapped.value.user
    expect(extra['alpha.kubernetes.io/identity/roles']).toEqual(['member', 'reader'])
    expect(extra['keystone.openstack.org/methods']).toEqual(['application_credential', 'token'])
    expect(extra['keystone.openstack.org/application-credential-id']).toEqual(['ac1'])
    expect(extra['keystone.openstack.org/trust-id']).toEqual(['t1'])
    expect(extra).not.toHaveProperty('keystone.openstack.org/audit-ids')
    for (const [key, values] of Object.entries(extra)) {
      expect(key).toBe(key.toLowerCase())
      expect(values).not.toHaveLength(0)
    }
  })
})

describe('for all Keystone facts', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('system:masters', 'ＳＹＳＴＥＭ:x', 'default', 'a'.repeat(32), '\u202esystem:'),
    fc
      .tuple(fc.string({ maxLength: 5 }), fc.constantFrom('default', OTHER.id, 'c'.repeat(32)))
      .map(([user, id]) => `${user}@${id}`),
  )
  const domainId = fc.constantFrom('default', OTHER.id, 'c'.repeat(32), '0'.repeat(64), 'Federated', '', 'system:')
  const someone = fc.record({ name, domainId, group: name, groupDomain: domainId, projectId: name })
  type Someone = { name: string; domainId: string; group: string; groupDomain: string; projectId: string }
  const mapSomeone = (facts: Someone) =>
    mapping.toUser(
      identity({
        user: { id: 'u', name: facts.name, domain: { id: facts.domainId, name: 'x' } },
        scope: { ...PROJECT, id: facts.projectId },
        groups: [{ id: 'g', name: facts.group, domainId: facts.groupDomain }],
      }),
    )

  it('nothing is, or looks like, a system: name, holds a hidden character, or passes as an id that it is not', () => {
    fc.assert(
      fc.property(someone, (facts) => {
        const mapped = mapSomeone(facts)
        if (!mapped.ok) return
        const { username, groups } = mapped.value.user
        for (const output of [username, ...groups]) {
          expect(fold(output).startsWith('system:')).toBe(false)
          expect(hasHiddenCharacter(output)).toBe(false)
          expect(output).not.toBe('')
        }
        expect(groups.filter((group) => isKeystoneId(fold(group)) && group !== facts.projectId)).toEqual([])
      }),
      { numRuns: 3000 },
    )
  })

  it('no two users of different domains get one name', () => {
    fc.assert(
      fc.property(someone, someone, (one, two) => {
        const [first, second] = [mapSomeone(one), mapSomeone(two)]
        if (!first.ok || !second.ok || one.domainId === two.domainId) return
        expect(first.value.user.username).not.toBe(second.value.user.username)
      }),
      { numRuns: 3000 },
    )
  })
})
