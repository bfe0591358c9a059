import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/keystone/identity.ts'
import {
  ALICE,
  DEMO,
  HOME,
  identity,
  mappingOf,
  OTHER,
  refusalOf,
  role,
  ruleGroups,
  userOf,
} from './mapping-fixtures.ts'

const ID = 'f'.repeat(32)
const DOMAIN_SCOPE = { kind: 'domain' as const, ...HOME }
const ANY_SCOPE = { allow: { scopes: ['project', 'domain', 'system', 'unscoped'] } }

describe('a condition', () => {
  const elsewhere = { ...DEMO, domain: OTHER }
  const cases: [string, object, Partial<Identity>, boolean][] = [
    ['role, by name', { role: 'member' }, {}, true],
    ['role, another', { role: 'admin' }, {}, false],
    ['role, any of a list', { role: ['admin', 'member'] }, {}, true],
    ['role, by id', { role: ID }, { roles: [role('member', ID)] }, true],
    ['role, a name that reads as an id', { role: ID }, { roles: [role(ID)] }, false],
    ['role, of a token without roles', { role: 'member' }, { roles: [] }, false],
    ['project, by name', { project: 'demo' }, {}, true],
    ['project, by id', { project: DEMO.id }, {}, true],
    ['project, any of a list', { project: ['x', DEMO.id] }, {}, true],
    ['project, one of the same name elsewhere', { project: 'demo' }, { scope: elsewhere }, false],
    ['project, by name and domain', { project: { name: 'demo', domain: OTHER.id } }, { scope: elsewhere }, true],
    ['project, by name and another domain', { project: { name: 'demo', domain: OTHER.id } }, {}, false],
    ['project, by name and home', { project: { name: 'demo', domain: 'default' } }, {}, true],
    ['project, named with the id of another', { project: ID }, { scope: { ...DEMO, name: ID } }, false],
    ['project-domain, by id', { 'project-domain': OTHER.id }, { scope: elsewhere }, true],
    ['project-domain, by name', { 'project-domain': ['x', 'other'] }, { scope: elsewhere }, true],
    ['project-domain, not that of the user', { 'project-domain': 'default' }, { scope: elsewhere }, false],
    ['domain, that of the user', { domain: 'default' }, { scope: elsewhere }, true],
    ['domain, not that of the project', { domain: OTHER.id }, { scope: elsewhere }, false],
    ['domain, by name', { domain: 'other' }, { user: { ...ALICE, domain: OTHER } }, true],
    [
      'domain, named `default` with another id',
      { domain: 'default' },
      { user: { ...ALICE, domain: { id: ID, name: 'default' } } },
      false,
    ],
    [
      'domain, named with the id of another',
      { domain: ID },
      { user: { ...ALICE, domain: { ...OTHER, name: ID } } },
      false,
    ],
    ['user, by name', { user: 'alice' }, {}, true],
    ['user, by id', { user: [ALICE.id] }, {}, true],
    ['user, one of the same name elsewhere', { user: 'alice' }, { user: { ...ALICE, domain: OTHER } }, false],
    [
      'user, by name and domain',
      { user: ['x', { name: 'alice', domain: OTHER.id }] },
      { user: { ...ALICE, domain: OTHER } },
      true,
    ],
    ['user, named with the id of another', { user: ID }, { user: { ...ALICE, name: ID } }, false],
    ['group, by name', { group: 'ops' }, { groups: [{ id: ID, name: 'ops', domainId: 'default' }] }, true],
    ['group, by id', { group: ID }, { groups: [{ id: ID }] }, true],
    ['group, one elsewhere', { group: 'ops' }, { groups: [{ id: ID, name: 'ops', domainId: OTHER.id }] }, false],
    [
      'group, by name and domain',
      { group: { name: 'ops', domain: OTHER.id } },
      { groups: [{ id: ID, name: 'ops', domainId: OTHER.id }] },
      true,
    ],
    ['group, of unknown domain', { group: 'ops' }, { groups: [{ id: ID, name: 'ops' }] }, false],
    ['group, where Keystone does not show them', { group: 'ops' }, { groups: 'refused' }, false],
    ['scope', { scope: 'project' }, {}, true],
    ['scope, any of a list', { scope: ['system', 'domain'] }, { scope: DOMAIN_SCOPE }, true],
    ['scope, another', { scope: 'system' }, { scope: DOMAIN_SCOPE }, false],
    ['project, of a token without one', { project: 'Default' }, { scope: DOMAIN_SCOPE }, false],
    ['project-domain, of a token without project', { 'project-domain': 'default' }, { scope: DOMAIN_SCOPE }, false],
    ['several that hold', { role: 'member', project: 'demo', user: 'alice' }, {}, true],
    ['several of which one does not hold', { role: 'member', project: 'demo', user: 'bob' }, {}, false],
    ['none', {}, {}, true],
  ]
  for (const [what, rule, facts, holds] of cases) {
    it(`${what}: ${holds ? 'holds' : 'does not hold'}`, () => {
      expect(ruleGroups([{ ...rule, groups: ['yes'] }], facts, ANY_SCOPE)).toEqual(holds ? ['yes'] : [])
    })
  }

  it('names projects by the home domain of the installation', () => {
    const document = { groups: { project: false }, rules: [{ project: 'demo', groups: ['x'] }] }
    const facts = { scope: { ...DEMO, domain: OTHER }, user: { ...ALICE, domain: OTHER } }
    expect(userOf(document, facts, OTHER.id)).toMatchObject({ username: 'alice', groups: ['x'] })
  })
})

describe('placeholders', () => {
  const facts = {
    user: { ...ALICE, domain: OTHER },
    scope: { ...DEMO, domain: { id: ID, name: 'sales' } },
    roles: [role('reader'), role('member')],
  }
  const cases: [string, string[]][] = [
    ['u:{user.name}', [`u:alice@${OTHER.id}`]],
    ['u:{user.id}', [`u:${ALICE.id}`]],
    ['u:{user.domain.name}', ['u:other']],
    ['u:{user.domain.id}', [`u:${OTHER.id}`]],
    ['{project.name}', [`demo@${ID}`]],
    ['{project.id}', [DEMO.id]],
    ['p:{project.domain.name}', ['p:sales']],
    ['p:{project.domain.id}', [`p:${ID}`]],
    ['{project.domain.name}/{role}', ['sales/member', 'sales/reader']],
  ]
  for (const [template, groups] of cases) {
    it(`${template} is ${groups.join(', ')}`, () => expect(ruleGroups([{ groups: [template] }], facts)).toEqual(groups))
  }

  it('{role} is each role that the rule asks for', () => {
    const roles = [role('reader'), role('member'), role('auditor', ID)]
    expect(ruleGroups([{ role: ['reader', ID], groups: ['r:{role}'] }], { roles })).toEqual(['r:auditor', 'r:reader'])
    expect(ruleGroups([{ groups: ['r:{role}'] }], { roles: [] })).toEqual([])
  })

  it('that the token cannot fill leave the group out, not the rule', () => {
    const rules = [{ groups: ['p:{project.name}', 'p:{project.id}', 'in:{project.domain.id}', 'all'] }]
    expect(ruleGroups(rules, { scope: DOMAIN_SCOPE }, ANY_SCOPE)).toEqual(['all'])
  })

  it('of ids take nothing but ids: some directories let people choose what Keystone calls their id', () => {
    const user = { ...ALICE, id: 'platform-admins' }
    expect(userOf({ rules: [{ groups: ['{user.id}'] }] }, { user })).toMatchObject({ groups: [DEMO.id], leftOut: 1 })
    expect(refusalOf({ username: '{user.id}' }, { user })).toEqual({ reason: 'reserved_name' })
  })
})

describe('the order', () => {
  const roleMappings = { 'role-mappings': [{ 'keystone-role': 'member', groups: ['mapped'], username: 'mapped' }] }

  it('of user names is the default, role-mappings, rules: the last one that matches and has one wins', () => {
    const rule = (username: string, condition: object = {}) => ({ ...condition, username })
    expect(userOf({ username: 'u:{user.name}' }).username).toBe('u:alice')
    expect(userOf({ username: 'u:{user.name}', ...roleMappings }).username).toBe('mapped')
    expect(userOf({ ...roleMappings, rules: [rule('one'), rule('two'), rule('')] }).username).toBe('two')
    expect(userOf({ ...roleMappings, rules: [rule('one', { role: 'admin' })] }).username).toBe('mapped')
    expect(userOf({ rules: [rule('one'), rule('u:{user.name}')] }).username).toBe('u:alice')
  })

  it('of groups is no matter: all that match are added, sorted and once', () => {
    const rules = [{ groups: ['z', 'a'] }, { groups: ['z', '{project.name}'] }, { role: 'admin', groups: ['b'] }]
    const groups = [{ id: ID, name: 'ops', domainId: 'default' }]
    expect(userOf({ ...roleMappings, rules }, { groups }).groups).toEqual(['a', 'demo', DEMO.id, 'mapped', 'ops', 'z'])
  })
})

describe("role-mappings, k8s-keystone-auth's own format", () => {
  it('add groups and replace the user name by role', () => {
    const document = {
      'role-mappings': [
        { 'keystone-role': 'member', groups: ['project-1-group'], username: '' },
        { 'keystone-role': 'admin', username: 'root' },
      ],
    }
    expect(userOf(document)).toMatchObject({ username: 'alice', groups: [DEMO.id, 'project-1-group'] })
    expect(userOf(document, { roles: [role('admin')] })).toMatchObject({ username: 'root', groups: [DEMO.id] })
  })

  it('are literal, braces included', () => {
    const document = { 'role-mappings': [{ 'keystone-role': 'member', groups: ['{role}{'], username: '{user.name}!' }] }
    expect(userOf(document)).toMatchObject({ username: '{user.name}!', groups: [DEMO.id, '{role}{'] })
  })
})

describe('groups', () => {
  const groups = [{ id: ID, name: 'ops', domainId: OTHER.id }]

  it('of Keystone and of the project can each be left away', () => {
    expect(userOf({}, { groups }).groups).toEqual([DEMO.id, `ops@${OTHER.id}`])
    expect(userOf({ groups: { keystone: false } }, { groups }).groups).toEqual([DEMO.id])
    expect(userOf({ groups: { project: false } }, { groups }).groups).toEqual([`ops@${OTHER.id}`])
  })

  it('have a prefix, those of rules have none', () => {
    const document = { groups: { prefix: 'keystone:' }, rules: [{ groups: ['developers', '{project.name}'] }] }
    expect(userOf(document, { groups }).groups).toEqual([
      'demo',
      'developers',
      `keystone:${DEMO.id}`,
      `keystone:ops@${OTHER.id}`,
    ])
  })

  it('of Keystone are asked for only if something depends on them', () => {
    const reads = (document: object) => mappingOf(document).readsGroups(identity())
    expect(reads({})).toBe(true)
    expect(reads({ groups: { keystone: false } })).toBe(false)
    expect(reads({ groups: { keystone: false }, rules: [{ group: 'ops', groups: ['x'] }] })).toBe(true)
    expect(reads({ deny: { users: ['alice'] } })).toBe(false)
  })
})

describe('extra', () => {
  const audited = { methods: ['password'], auditIds: ['x'], applicationCredentialId: ID, trustId: ID }
  const kept = [
    'alpha.kubernetes.io/identity/project/id',
    'alpha.kubernetes.io/identity/project/name',
    'alpha.kubernetes.io/identity/roles',
    'alpha.kubernetes.io/identity/user/domain/id',
    'alpha.kubernetes.io/identity/user/domain/name',
    'keystone-edge-auth/authenticator',
    'keystone.openstack.org/project-domain-id',
    'keystone.openstack.org/scope',
  ]

  it('has what differs from token to token only while extra.audit is true', () => {
    const keys = (document: object) => Object.keys(userOf(document, audited).extra).sort()
    const added = ['application-credential-id', 'audit-ids', 'methods', 'trust-id']
    expect(keys({})).toEqual([...kept, ...added.map((key) => `keystone.openstack.org/${key}`)].sort())
    expect(keys({ extra: { audit: true } })).toEqual(keys({}))
    expect(keys({ extra: { audit: false } })).toEqual(kept)
  })
})

describe('allow', () => {
  const cases: [string, object, Partial<Identity>, string | undefined][] = [
    ['any domain when omitted', {}, { user: { ...ALICE, domain: OTHER } }, undefined],
    ['domains by id', { domains: ['default'] }, { user: { ...ALICE, domain: OTHER } }, 'domain'],
    ['domains by name', { domains: ['other'] }, { user: { ...ALICE, domain: OTHER } }, undefined],
    [
      "domains: the user's, not the project's",
      { domains: ['default'] },
      { scope: { ...DEMO, domain: OTHER } },
      undefined,
    ],
    ['projects', { projects: ['demo'] }, {}, undefined],
    ['projects of the same name elsewhere', { projects: ['demo'] }, { scope: { ...DEMO, domain: OTHER } }, 'project'],
    ['projects named with an allowed id', { projects: [ID] }, { scope: { ...DEMO, name: ID } }, 'project'],
    [
      'no token without project where projects are given',
      { projects: ['demo'], ...ANY_SCOPE.allow },
      { scope: DOMAIN_SCOPE },
      'project',
    ],
    ['project scope alone when omitted', {}, { scope: { kind: 'unscoped' } }, 'scope'],
    ['scopes that are given', { scopes: ['system'] }, { scope: { kind: 'system' } }, undefined],
    ['not even projects if not given', { scopes: ['system'] }, {}, 'scope'],
    ['nobody by an empty list', { domains: [] }, {}, 'domain'],
  ]
  for (const [what, allow, facts, by] of cases) {
    it(`lets in ${what}`, () => {
      expect(refusalOf({ allow }, facts)).toEqual(by === undefined ? undefined : { reason: 'not_allowed', by })
    })
  }
})

describe('deny', () => {
  const cases: [object, Partial<Identity>, string | undefined][] = [
    [{ users: ['alice'] }, {}, 'user'],
    [{ users: [ALICE.id] }, {}, 'user'],
    [{ users: ['alice'] }, { user: { ...ALICE, domain: OTHER } }, undefined],
    [{ users: [{ name: 'alice', domain: OTHER.id }] }, { user: { ...ALICE, domain: OTHER } }, 'user'],
    [{ users: [ID] }, { user: { ...ALICE, name: ID } }, undefined],
    [{ 'audit-ids': ['audit-2'] }, { auditIds: ['audit-1', 'audit-2'] }, 'audit_id'],
    [{ 'application-credentials': [ID] }, { applicationCredentialId: ID }, 'application_credential'],
    [{ 'application-credentials': [ID] }, {}, undefined],
  ]
  for (const [deny, facts, by] of cases) {
    it(`${JSON.stringify(deny)} ${by === undefined ? 'lets in' : 'refuses'} ${JSON.stringify(facts)}`, () => {
      expect(refusalOf({ deny }, facts)).toEqual(by === undefined ? undefined : { reason: 'denied', by })
    })
  }

  it('wins over everything', () => {
    const document = {
      allow: { domains: ['default'], projects: ['demo'] },
      deny: { users: ['alice'] },
      rules: [{ user: 'alice', groups: ['admins'], username: 'root' }],
    }
    expect(refusalOf(document)).toEqual({ reason: 'denied', by: 'user' })
    expect(refusalOf(document, { scope: { kind: 'unscoped' } })).toEqual({ reason: 'denied', by: 'user' })
  })
})
