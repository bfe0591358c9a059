import { describe, expect, it } from 'vitest'
import { DEMO, HOME, OTHER, ruleGroups, userOf } from './mapping-fixtures.ts'

const PREFIX = { groups: { prefix: 'keystone:' } }
const PROJECT_B = 'b'.repeat(32)
const group = (name: string, domain = HOME) => ({ id: '3'.repeat(32), name, domainId: domain.id })

describe('groups.prefix', () => {
  it('goes before the groups of Keystone and the id of the project', () => {
    expect(userOf(PREFIX, { groups: [group('devs')] }).groups).toEqual(['keystone:devs', `keystone:${DEMO.id}`])
  })

  it('leaves out a group whose name is the id of another project, and counts the group', () => {
    for (const name of [PROJECT_B, PROJECT_B.toUpperCase(), 'b'.repeat(64)]) {
      const user = userOf(PREFIX, { groups: [group(name)] })
      expect([user.groups, user.leftOut]).toEqual([[`keystone:${DEMO.id}`], 1])
    }
  })

  it('keeps such a group of another domain, as its name is qualified', () => {
    expect(userOf(PREFIX, { groups: [group(PROJECT_B, OTHER)] }).groups).toContain(`keystone:${PROJECT_B}@${OTHER.id}`)
  })

  it('is not made by a name behind a template that begins like the prefix', () => {
    const rules = [{ groups: ['team:{project.name}'] }]
    const scope = { ...DEMO, name: 'ks:ops' }
    expect(ruleGroups(rules, { scope }, { groups: { keystone: false, project: false, prefix: 'team:ks:' } })).toEqual(
      [],
    )
    const plain = { groups: { keystone: false, project: false, prefix: 'team:ks:' } }
    expect(ruleGroups(rules, {}, plain)).toEqual(['team:demo'])
    expect(ruleGroups([{ groups: ['team:ks:{project.name}'] }], {}, plain)).toEqual(['team:ks:demo'])
  })
})

describe('{user.domain.name} and {project.domain.name}', () => {
  it('render for the domain Default', () => {
    expect(ruleGroups([{ groups: ['{project.domain.name}:{project.name}', 'of:{user.domain.name}'] }])).toEqual([
      'Default:demo',
      'of:Default',
    ])
    expect(userOf({ username: '{user.domain.name}/{user.name}' }).username).toBe('Default/alice')
  })

  it.each(['default', 'd'.repeat(32), 'D'.repeat(32)])('are left out for a domain whose name is an id (%s)', (name) => {
    const scope = { ...DEMO, domain: { id: OTHER.id, name } }
    const user = userOf({ rules: [{ groups: ['of:{project.domain.name}'] }] }, { scope })
    expect([user.groups.includes(`of:${name}`), user.leftOut]).toEqual([false, 1])
  })
})
