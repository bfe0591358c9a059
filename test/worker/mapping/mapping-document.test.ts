import { describe, expect, it } from 'vitest'
import { parseDocumentText } from '../../../src/documents/document-text.ts'
import { faultsOf, identity, mappingOf, role, toRecord } from './mapping-fixtures.ts'

const SCOPES = 'expected project, domain, system or unscoped'
const SELECTOR = 'expected an id, a name, or an object with name and domain'
const HIDDEN = 'holds a control, format or zero-width character'

describe('a document that holds', () => {
  for (const document of [{}, { $schema: './schemas/mapping.schema.json' }, { rules: [] }, { allow: {}, deny: {} }]) {
    it(`${JSON.stringify(document)} lets alice in`, () => {
      expect(mappingOf(document).toUser(identity())).toMatchObject({ ok: true, value: { user: { username: 'alice' } } })
    })
  }
})

describe('the schema', () => {
  const cases: [string, unknown, Record<string, string>][] = [
    ['no object', 'x', { '': 'expected an object; {} means the defaults' }],
    ['nothing', null, { '': 'expected an object; {} means the defaults' }],
    ['a list for the document', [], { '': 'expected an object; {} means the defaults' }],
    ['a list for allow', { allow: [] }, { allow: 'expected an object with domains, projects and scopes' }],
    ['a list for deny', { deny: [] }, { deny: 'expected an object with users, audit-ids and application-credentials' }],
    ['a list for groups', { groups: [] }, { groups: 'expected an object with keystone, project and prefix' }],
    ['a list for a rule', { rules: [[]] }, { 'rules[0]': 'expected an object with conditions, groups and username' }],
    ['an unknown key', { rule: [] }, { rule: 'is not a key here' }],
    ['a mistyped deny', { deny: { user: ['x'] } }, { 'deny.user': 'is not a key here' }],
    ['an unknown key of a rule', { rules: [{ roles: ['x'] }] }, { 'rules[0].roles': 'is not a key here' }],
    ['a key of every object', { constructor: 1 }, { constructor: 'is not a key here' }],
    ['null for a value', { allow: null }, { allow: 'expected an object with domains, projects and scopes' }],
    ['a string for a list', { allow: { domains: 'default' } }, { 'allow.domains': 'expected a list of domains' }],
    ['a scope that is none', { allow: { scopes: ['all'] } }, { 'allow.scopes[0]': SCOPES }],
    ['an object for the rules', { rules: {} }, { rules: 'expected a list of rules' }],
    ['a number for a condition', { rules: [{ role: 5 }] }, { 'rules[0].role': 'expected a string, or a list of them' }],
    ['an empty condition', { rules: [{ role: '' }] }, { 'rules[0].role': 'expected text' }],
    ['an empty list', { rules: [{ role: [] }] }, { 'rules[0].role': 'is empty, so it never matches' }],
    ['a number in a list', { rules: [{ role: ['a', 5] }] }, { 'rules[0].role[1]': 'expected a string' }],
    ['a scope of a rule', { rules: [{ scope: 'all' }] }, { 'rules[0].scope': `${SCOPES}, or a list of them` }],
    ['a number for a user', { deny: { users: [5] } }, { 'deny.users[0]': SELECTOR }],
    ['a name without domain', { deny: { users: [{ name: 'a' }] } }, { 'deny.users[0].domain': 'is missing' }],
    [
      'a wrong name within a rule',
      { rules: [{ project: { name: 5, domain: 'default' } }] },
      { 'rules[0].project.name': 'expected a string' },
    ],
    [
      'a domain by name where only its id is stable',
      { rules: [{ user: [{ name: 'a', domain: 'other' }] }] },
      { 'rules[0].user[0].domain': 'expected the id of a domain: `default`, or 32 hex digits' },
    ],
    [
      'a name that reads as an id',
      { rules: [{ user: { name: 'a'.repeat(32), domain: 'default' } }] },
      { 'rules[0].user.name': 'reads as an id, which matches no name: give the id by itself' },
    ],
    [
      'a credential that is no id',
      { deny: { 'application-credentials': ['ci'] } },
      { 'deny.application-credentials[0]': 'expected an id of 32 hex digits' },
    ],
    ['a string for a flag', { extra: { audit: 'no' } }, { 'extra.audit': 'expected true or false' }],
    ['a mapping of no role', { 'role-mappings': [{}] }, { 'role-mappings[0].keystone-role': 'is missing' }],
    [
      'a prefix of the system',
      { groups: { prefix: 'ＳＹＳＴＥＭ:' } },
      { 'groups.prefix': 'starts with system:, which nothing from Keystone may' },
    ],
    ['a hidden character in a prefix', { groups: { prefix: 'a\u200b' } }, { 'groups.prefix': HIDDEN }],
    ['a hidden character in a group', { rules: [{ groups: ['a\u202eb'] }] }, { 'rules[0].groups[0]': HIDDEN }],
    [
      'a hidden character in a role mapping',
      { 'role-mappings': [{ 'keystone-role': 'x', groups: ['\u200b'], username: '\u0000' }] },
      { 'role-mappings[0].groups[0]': HIDDEN, 'role-mappings[0].username': HIDDEN },
    ],
    ['an unknown key of an example', { examples: [{ name: 'a' }] }, { 'examples[0].name': 'is not a key here' }],
  ]
  for (const [what, document, faults] of cases) {
    it(`names ${what} by its path`, () => expect(faultsOf(document)).toEqual(faults))
  }

  it('names all faults at once', () => {
    const document = {
      alow: {},
      username: 5,
      groups: { keystone: 'yes' },
      rules: [{}, { scope: ['x'], groups: ['{nobody}', 7] }],
      'role-mappings': [{ 'keystone-role': 'x', groups: 'y' }],
    }
    expect(Object.keys(faultsOf(document)).sort()).toEqual([
      'alow',
      'groups.keystone',
      'role-mappings[0].groups',
      'rules[1].groups[0]',
      'rules[1].groups[1]',
      'rules[1].scope[0]',
      'username',
    ])
  })
})

describe('templates', () => {
  const cases: [string, string][] = [
    ['{user.nam}', '{user.nam} is no placeholder; there are {user.name}, '],
    ['{user}', '{user} is no placeholder'],
    ['{ role }', '{…} is no placeholder'],
    ['{}', '{…} is no placeholder'],
    ['{user.name}{role}', 'two placeholders touch: put text between them'],
    ['{role', 'has a brace that belongs to no placeholder'],
    ['role}', 'has a brace that belongs to no placeholder'],
    ['{{role}}', 'has a brace that belongs to no placeholder'],
    ['', 'expected text'],
  ]
  for (const [template, message] of cases) {
    it(`a group ${JSON.stringify(template)}: ${message}`, () => {
      expect(faultsOf({ rules: [{ groups: ['a', template] }] })).toEqual({
        'rules[0].groups[1]': expect.stringContaining(message),
      })
    })
  }

  const usernames: [string, string][] = [
    ['{project.name}', 'needs {user.name} or {user.id}: otherwise several users get one name'],
    ['{user.name}:{role}', '{role} can be several: a user name cannot hold it'],
    ['system:{user.name}', 'starts with system:, which no user of Keystone may'],
    ['System:admin', 'starts with system:, which no user of Keystone may'],
    ['{user.name}{user.id}', 'two placeholders touch: put text between them'],
  ]
  for (const [username, message] of usernames) {
    it(`a user name ${username}: ${message}`, () => {
      expect(faultsOf({ username, rules: [{ username }] })).toEqual({ username: message, 'rules[0].username': message })
    })
  }

  it('a user name of a role mapping is not of the system', () => {
    expect(faultsOf({ 'role-mappings': [{ 'keystone-role': 'x', username: 'system:admin' }] })).toEqual({
      'role-mappings[0].username': 'starts with system:, which no user of Keystone may',
    })
  })
})

describe('groups of the system', () => {
  const UNLISTED = 'is a system: group: list it in system-groups as well if it is meant'
  const rules = (group: string) => ({ rules: [{ groups: ['x', group] }] })
  const roleMappings = (group: string) => ({ 'role-mappings': [{ 'keystone-role': 'x', groups: [group] }] })

  for (const group of ['system:masters', 'SYSTEM:masters', 'ｓｙｓｔｅｍ：masters', ' system:masters']) {
    it(`${JSON.stringify(group)} has to be listed, in rules and role-mappings`, () => {
      expect(faultsOf(rules(group))).toEqual({ 'rules[0].groups[1]': UNLISTED })
      expect(faultsOf(roleMappings(group))).toEqual({ 'role-mappings[0].groups[0]': UNLISTED })
      expect(faultsOf({ ...rules(group), ...roleMappings(group), 'system-groups': [group] })).toEqual({})
    })
  }

  it('are listed one by one', () => {
    expect(faultsOf({ ...rules('system:nodes'), 'system-groups': ['system:masters'] })).toEqual({
      'rules[0].groups[1]': UNLISTED,
    })
  })

  it('are never made by a template, listed or not', () => {
    expect(faultsOf({ ...rules('system:{role}'), 'system-groups': ['system:{role}'] })).toEqual({
      'rules[0].groups[1]': 'starts with system:, which no group made from Keystone may: write the whole group',
    })
  })

  it('are all that system-groups lists', () => {
    expect(faultsOf({ 'system-groups': ['developers'] })).toEqual({
      'system-groups[0]': 'is no system: group; list only those here',
    })
  })
})

describe('a rule that can never match', () => {
  const ids = ['a'.repeat(32), 'b'.repeat(32)] as const
  const cases: [string, object, object][] = [
    ['allow.scopes does not let its scopes in', { scope: 'system' }, {}],
    ['allow.scopes does not let its scopes in', { scope: ['system', 'domain'] }, { scopes: ['unscoped'] }],
    ['only project-scoped tokens have a project', { project: 'demo', scope: 'domain' }, { scopes: ['domain'] }],
    ['only project-scoped tokens have a project', { 'project-domain': 'default' }, { scopes: ['domain', 'system'] }],
    ['unscoped tokens have no roles', { role: 'member' }, { scopes: ['unscoped'] }],
    ['allow.domains does not let its domains in', { domain: ids[0] }, { domains: ['default', ids[1]] }],
    ['allow.domains does not let its domains in', { domain: ['Sales'] }, { domains: ['Default'] }],
    ['allow.projects does not let its projects in', { project: 'demo' }, { projects: ['production'] }],
    ['allow.projects does not let its projects in', { project: [ids[0]] }, { projects: [ids[1]] }],
  ]
  for (const [reason, rule, allow] of cases) {
    it(`${JSON.stringify(rule)} under ${JSON.stringify(allow)}: ${reason}`, () => {
      expect(faultsOf({ allow, rules: [{}, rule] })).toEqual({ 'rules[1]': `can never match: ${reason}` })
    })
  }

  it('is not one where a name and an id may mean the same', () => {
    const allow = { domains: ['Default'], projects: ['demo'] }
    expect(faultsOf({ allow, rules: [{ domain: 'default', project: ids[0] }] })).toEqual({})
    expect(faultsOf({ allow, rules: [{ project: { name: 'demo', domain: 'default' } }] })).toEqual({})
  })
})

describe('the text of a document', () => {
  const faults = (text: string) => {
    const parsed = parseDocumentText(text)
    return parsed.ok ? {} : toRecord(parsed.error)
  }

  it('that is no JSON is refused', () => {
    for (const text of ['', '{', '{} {}', "{'a': 1}", '{"a": 1,}', '// x\n{}', 'NaN']) {
      expect(faults(text)).toEqual({ '': expect.stringMatching(/^is not JSON: line 1, column \d/) })
    }
  })

  it('with a key twice is refused: the second deny would undo the first', () => {
    expect(faults('{"deny": {"users": ["mallory"]}, "deny": {}}')).toEqual({ deny: 'is there twice' })
    expect(faults('{"deny": {}, "d\\u0065ny": {}}')).toEqual({ deny: 'is there twice' })
    expect(faults('{"rules": [{}, {"role": "a", "groups": ["}", "{\\""], "role": "b"}]}')).toEqual({
      'rules[1].role': 'is there twice',
    })
  })

  it('may have one key in several objects', () => {
    expect(faults('{"rules": [{"role": "a"}, {"role": "a"}], "x": {"rules": "role"}}')).toEqual({})
  })

  it('with a key that would reach into prototypes is refused', () => {
    expect(faults('{"allow": {"__proto__": {"scopes": ["system"]}}}')).toEqual({
      'allow.__proto__': 'is not a key here',
    })
    expect(Object.keys(faultsOf(JSON.parse('{"__proto__": {"username": "root"}}')))).toEqual(['__proto__'])
  })

  it('with nesting without end is refused', () => {
    const depth = 100_000
    expect(faults('['.repeat(depth) + ']'.repeat(depth))).toEqual({ '': expect.any(String) })
    expect(faults('['.repeat(33) + ']'.repeat(33))).toEqual({ '': 'is nested deeper than 32 levels' })
  })

  it('of 5 MiB is refused', () => {
    expect(faults(`{"$schema": "${'a'.repeat(5 * 1024 * 1024)}"}`)).toEqual({ '': 'is larger than 4 MiB' })
  })
})

describe('a list of 10,000 rules', () => {
  const rules = Array.from({ length: 10_000 }, (_, index) => ({
    role: [`role-${index}`, 'everybody'],
    project: { name: `project-${index}`, domain: 'default' },
    groups: [`group-${index}`, `{project.name}:role-${index}`],
    username: `user-${index}:{user.name}`,
  }))

  it('works', () => {
    const text = parseDocumentText(JSON.stringify({ rules }))
    const mapping = mappingOf(text.ok ? text.value : undefined)
    const scope = { ...identity().scope, name: 'project-9999' }
    const mapped = mapping.toUser(identity({ scope, roles: [role('everybody')] }))
    expect(mapped).toMatchObject({
      value: {
        user: { username: 'user-9999:alice', groups: ['e'.repeat(32), 'group-9999', 'project-9999:role-9999'] },
      },
    })
  })

  it('names the one rule that is wrong', () => {
    expect(faultsOf({ rules: [...rules, { role: 7 }] })).toEqual({
      'rules[10000].role': 'expected a string, or a list of them',
    })
  })
})

describe('the size of a mapping', () => {
  it('is 30,000 rules, groups and names at most', () => {
    const groups = (count: number) => ({
      rules: [{ groups: Array.from({ length: count }, (_, index) => `g${index}`) }],
    })
    expect(faultsOf(groups(29_990))).toEqual({})
    expect(faultsOf(groups(30_000))).toEqual({
      '': expect.stringMatching(/^has \d+ rules, groups and names, and 30000/),
    })
    expect(faultsOf({ deny: { users: Array(30_001).fill('mallory') } })).toEqual({
      '': expect.stringMatching(/^has 30001 /),
    })
  })
})

describe('several unknown keys', () => {
  it('are all named, beside what else is wrong', () => {
    expect(faultsOf({ alow: {}, denny: {}, rules: [{ role: 5, roles: 'x', group_s: [] }] })).toEqual({
      alow: 'is not a key here',
      denny: 'is not a key here',
      'rules[0].role': expect.stringContaining('expected'),
      'rules[0].roles': 'is not a key here',
      'rules[0].group_s': 'is not a key here',
    })
  })
})
