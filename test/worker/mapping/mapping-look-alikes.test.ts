import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/keystone/identity.ts'
import { ALICE, DEMO, faultsOf, OTHER, refusalOf, role, userOf } from './mapping-fixtures.ts'

const ID = 'f'.repeat(32)
const reserved = { reason: 'reserved_name' }
const project = (name: string, domain = DEMO.domain) => ({ scope: { ...DEMO, name, domain } })
const user = (name: string, domain = ALICE.domain) => ({ user: { ...ALICE, name, domain } })
const keystoneGroup = (name: string, domainId = 'default') => ({ groups: [{ id: ID, name, domainId }] })

/** What is left of a rule's group, beside the project's id. */
function made(group: string, facts: Partial<Identity>, rest: object = {}, home = 'default') {
  const { groups, leftOut } = userOf({ rules: [{ groups: [group] }], ...rest }, facts, home)
  return { groups: groups.filter((one) => one !== DEMO.id), leftOut }
}
const nothing = { groups: [], leftOut: 1 }

describe('a literal group of the document', () => {
  const rules = [{ role: 'admin', groups: ['platform-admins', 'a:b'] }]
  const chosen: [string, Partial<Identity>, unknown[]][] = [
    ['a Keystone group', keystoneGroup('platform-admins'), []],
    ['a project', project('platform-admins'), [{ groups: ['{project.name}'] }]],
    ['a user', user('platform-admins'), [{ groups: ['{user.name}'] }]],
    ['a role', { roles: [role('platform-admins')] }, [{ groups: ['{role}'] }]],
    ['a domain', user('alice', { ...OTHER, name: 'platform-admins' }), [{ groups: ['{user.domain.name}'] }]],
    ['a project beside text', project('b'), [{ groups: ['a:{project.name}'] }]],
  ]
  for (const [what, facts, more] of chosen) {
    it(`is not granted by the name of ${what}`, () => {
      const { groups, leftOut } = userOf({ rules: [...rules, ...more] }, facts)
      expect({ groups, leftOut }).toEqual({ groups: [DEMO.id], leftOut: 1 })
    })
  }

  it('of role-mappings is not granted by a name', () => {
    const document = { 'role-mappings': [{ 'keystone-role': 'admin', groups: ['{x}'] }] }
    expect(userOf(document, keystoneGroup('{x}'))).toMatchObject({ groups: [DEMO.id], leftOut: 1 })
  })

  it('is not granted by a name behind the prefix', () => {
    const document = { groups: { prefix: 'platform-' }, rules }
    expect(userOf(document, keystoneGroup('admins'))).toMatchObject({ groups: [`platform-${DEMO.id}`], leftOut: 1 })
  })

  it('is granted by a rule with the condition group', () => {
    const document = { rules: [...rules, { group: 'platform-admins', groups: ['platform-admins'] }] }
    expect(userOf(document, keystoneGroup('platform-admins'))).toMatchObject({ groups: [DEMO.id, 'platform-admins'] })
  })
})

describe('a name is left out, and counted,', () => {
  it('if it contains the text behind the placeholder', () => {
    expect(made('{project.name}:{role}', project('demo:admin'))).toEqual(nothing)
    expect(made('{project.name}:{role}', { roles: [role('a:b')] })).toEqual({ groups: ['demo:a:b'], leftOut: 0 })
  })

  it('if it makes the text behind the placeholder occur earlier', () => {
    expect(made('{project.name}-x-{role}', project('demo-x'))).toEqual(nothing)
    expect(made('{project.name}::{role}', project('demo:'))).toEqual(nothing)
  })

  it('if it reads as an id', () => {
    expect(made('{project.name}', project(ID))).toEqual(nothing)
    expect(made('p:{project.name}', project(ID.toUpperCase()))).toEqual(nothing)
  })

  it('if it completes an id', () => {
    expect(made(`${'f'.repeat(28)}{role}`, { roles: [role('dead')] })).toEqual(nothing)
    expect(userOf({ groups: { prefix: 'f'.repeat(28) } }, keystoneGroup('dead')).leftOut).toBe(1)
  })

  it('if it completes a system: name', () => {
    expect(made('sys{role}', { roles: [role('tem:masters')] })).toEqual(nothing)
    expect(made(' {role}', { roles: [role('ＳＹＳＴＥＭ：masters')] })).toEqual(nothing)
    expect(userOf({ groups: { prefix: 'sys' } }, keystoneGroup('tem:masters')).leftOut).toBe(1)
  })

  it('if it completes a name of another domain', () => {
    expect(made('dev@{role}', { roles: [role('default')] }, {}, OTHER.id)).toEqual(nothing)
    expect(made('{project.name}', project(`demo@${OTHER.id}`))).toEqual(nothing)
    expect(userOf({ groups: { prefix: 'dev@' } }, keystoneGroup('default')).leftOut).toBe(1)
  })

  it('if it has hidden characters', () => {
    expect(made('p:{project.name}', project('de\u200bmo'))).toEqual(nothing)
    expect(made('p:{project.name}', project('\u202eomed'))).toEqual(nothing)
  })
})

describe('an id', () => {
  it('is a group only as groups.project or as exactly {project.id}', () => {
    expect(userOf({ groups: { project: false }, rules: [{ groups: ['{project.id}'] }] }).groups).toEqual([DEMO.id])
    expect(userOf({ groups: { project: false }, rules: [{ groups: ['{user.id}'] }] })).toMatchObject({
      groups: [],
      leftOut: 1,
    })
  })
})

describe('a user name', () => {
  const admins = { rules: [{ role: 'admin', username: 'admin:{user.name}' }] }
  const bot = { 'role-mappings': [{ 'keystone-role': 'robot', username: 'bot' }] }

  it('is refused when a rule gives it to other users', () => {
    expect(userOf(admins, { roles: [role('admin')] }).username).toBe('admin:alice')
    expect(refusalOf(admins, user('admin:alice'))).toEqual(reserved)
    expect(refusalOf(admins, user('admin:alice', OTHER))).toEqual(reserved)
    expect(userOf(admins, user('administrator')).username).toBe('administrator')
  })

  it('is refused when it ends like the template of another rule', () => {
    const document = { rules: [{ role: 'admin', username: '{user.name}:admin' }] }
    expect(userOf(document, { roles: [role('admin')] }).username).toBe('alice:admin')
    expect(refusalOf(document, user('alice:admin'))).toEqual(reserved)
  })

  it('is refused when it equals the literal of a rule that does not match', () => {
    expect(userOf(bot, { roles: [role('robot')] }).username).toBe('bot')
    expect(refusalOf(bot, user('bot'))).toEqual(reserved)
    expect(
      userOf({ ...bot, rules: [{ username: '{user.name}' }] }, { ...user('bot'), roles: [role('robot')] }),
    ).toMatchObject({
      username: 'bot',
    })
  })

  it('is refused when it reads as an id, and the document names users by id', () => {
    const document = { rules: [{ role: 'robot', username: '{user.id}' }] }
    expect(userOf(document, { roles: [role('robot')] }).username).toBe(ALICE.id)
    expect(refusalOf(document, user(ID))).toEqual(reserved)
  })

  it('is refused when the name of a project makes it end like one of another domain', () => {
    const document = { username: '{user.name}@{project.name}' }
    expect(userOf(document).username).toBe('alice@demo')
    expect(refusalOf(document, project(OTHER.id))).toEqual(reserved)
    expect(refusalOf(document, project('default'))).toEqual(reserved)
  })

  it('may be qualified by the document in the home domain', () => {
    expect(userOf({ username: '{user.name}@{user.domain.name}' }).username).toBe('alice@Default')
    expect(userOf({ username: '{user.name}@{user.domain.id}' }).username).toBe('alice@default')
    expect(userOf({ username: '{user.name}@example.org' }).username).toBe('alice@example.org')
    expect(userOf({ username: '{user.name}@default' }).username).toBe('alice@default')
  })

  it('is refused when a placeholder cannot be filled', () => {
    const document = { allow: { scopes: ['system'] }, username: '{project.name}:{user.name}' }
    expect(refusalOf(document, { scope: { kind: 'system' } })).toEqual(reserved)
    expect(refusalOf({}, user(''))).toEqual(reserved)
  })

  it('is refused when the template makes it a system: name', () => {
    expect(refusalOf({ username: 'sys{user.name}' }, user('tem:admin'))).toEqual(reserved)
    expect(refusalOf({ username: ' {user.name}' }, user('System:admin'))).toEqual(reserved)
  })
})

describe('a group of another template', () => {
  const inProject = (name: string) => ({ scope: { ...DEMO, name } })

  it('is not granted by a name that begins with the text of the other template', () => {
    const rules = [{ role: 'admin', groups: ['admins:{project.name}'] }, { groups: ['{project.name}'] }]
    const user = userOf({ groups: { project: false }, rules }, inProject('admins:demo'))
    expect([user.groups, user.leftOut]).toEqual([[], 1])
    expect(userOf({ groups: { project: false }, rules }, inProject('demo')).groups).toEqual(['demo'])
  })

  it("is not granted by a name that begins with the prefix of Keystone's groups", () => {
    const document = { groups: { prefix: 'ks:', project: false }, rules: [{ groups: ['{project.name}'] }] }
    expect(userOf(document, inProject('ks:platform')).groups).toEqual([])
    expect(userOf(document, inProject('platform')).groups).toEqual(['platform'])
  })

  it('is not granted by a domain whose name is the id of another domain', () => {
    const user = { ...ALICE, domain: { id: OTHER.id, name: 'default' } }
    expect(
      userOf({ groups: { project: false }, rules: [{ groups: ['dom:{user.domain.name}'] }] }, { user }).groups,
    ).toEqual([])
  })
})

describe('a selector that could never match', () => {
  it.each([`alice@${OTHER.id}`, 'alice@default', 'F'.repeat(32)])('is a fault in deny: %s', (user) => {
    expect(Object.keys(faultsOf({ deny: { users: [user] } }))).toEqual(['deny.users[0]'])
  })
})
