import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/keystone/identity.ts'
import { explainMapping } from '../../../src/mapping/explain-mapping.ts'
import { DEMO, identity, mappingOf, OTHER, role } from './mapping-fixtures.ts'

const explain = (document: object, facts: Partial<Identity> = {}) =>
  explainMapping(mappingOf(document), identity(facts))

describe('explainMapping()', () => {
  const document = {
    'role-mappings': [
      { 'keystone-role': 'member', groups: ['project-1-group'] },
      { 'keystone-role': 'admin', groups: ['admins'] },
    ],
    rules: [
      { groups: ['everybody'] },
      { role: 'member', project: 'demo', user: 'alice', groups: ['developers'], username: 'dev:{user.name}' },
      { role: 'member', project: 'other', user: 'bob', groups: ['x'] },
      { role: 'admin', project: 'demo', groups: ['x'] },
      { domain: OTHER.id, groups: ['x'] },
      { 'project-domain': OTHER.id, groups: ['x'] },
      { user: 'bob', groups: ['x'] },
      { group: 'ops', groups: ['x'] },
    ],
  }

  it('lists every rule, with the condition that failed if it did not apply', () => {
    expect(explain(document).rules).toEqual([
      { path: 'role-mappings[0]', applied: true },
      { path: 'role-mappings[1]', applied: false, failed: 'role' },
      { path: 'rules[0]', applied: true },
      { path: 'rules[1]', applied: true },
      { path: 'rules[2]', applied: false, failed: 'project' },
      { path: 'rules[3]', applied: false, failed: 'role' },
      { path: 'rules[4]', applied: false, failed: 'domain' },
      { path: 'rules[5]', applied: false, failed: 'project-domain' },
      { path: 'rules[6]', applied: false, failed: 'user' },
      { path: 'rules[7]', applied: false, failed: 'group' },
    ])
  })

  it('returns the user that a review gets', () => {
    expect(explain(document).result).toEqual(mappingOf(document).toUser(identity()))
    expect(explain(document).result).toMatchObject({
      value: { user: { username: 'dev:alice', groups: ['developers', DEMO.id, 'everybody', 'project-1-group'] } },
    })
  })

  it('names scope when the scope does not match', () => {
    const scoped = { allow: { scopes: ['project', 'system'] }, rules: [{ scope: 'system', groups: ['x'] }] }
    expect(explain(scoped).rules).toEqual([{ path: 'rules[0]', applied: false, failed: 'scope' }])
  })

  it('lists the rules when the mapping refuses the user', () => {
    const { result, rules } = explain({ ...document, deny: { users: ['alice'] } })
    expect(result).toEqual({ ok: false, error: { reason: 'denied', by: 'user' } })
    expect(rules).toHaveLength(10)
  })

  it('lists the groups left out, with path and reason', () => {
    const { result, leftOut } = explain(
      {
        'role-mappings': [{ 'keystone-role': 'nobody', groups: ['admins'] }],
        rules: [
          { groups: ['ok', 'r:{role}', 'sys{role}', '{project.name}', '{project.name}:{role}'] },
          { groups: ['{role}', '{user.id}'] },
        ],
      },
      {
        scope: { ...DEMO, id: 'odd', name: 'a:b' },
        roles: [role('tem:masters'), role('admins')],
        groups: [
          { id: 'g1', name: 'f'.repeat(32), domainId: 'default' },
          { id: 'g2', name: 'a\u200bb', domainId: 'default' },
          { id: 'g3', name: `x@${OTHER.id}`, domainId: 'default' },
          { id: 'g4', name: 'ops', domainId: 'no id' },
        ],
      },
    )
    expect(leftOut).toEqual([
      { path: 'groups.project', reason: 'ambiguous_name' },
      { path: 'groups.keystone', reason: 'id' },
      { path: 'groups.keystone', reason: 'hidden_character' },
      { path: 'groups.keystone', reason: 'ambiguous_name' },
      { path: 'groups.keystone', reason: 'ambiguous_name' },
      { path: 'rules[0].groups[2]', reason: 'system' },
      { path: 'rules[0].groups[3]', reason: 'ambiguous_name' },
      { path: 'rules[0].groups[4]', reason: 'ambiguous_name' },
      { path: 'rules[0].groups[4]', reason: 'ambiguous_name' },
      { path: 'rules[1].groups[0]', reason: 'ambiguous_name' },
      { path: 'rules[1].groups[0]', reason: 'literal_group' },
      { path: 'rules[1].groups[1]', reason: 'id' },
    ])
    expect(result).toMatchObject({ ok: true, value: { leftOut: 12 } })
  })
})
