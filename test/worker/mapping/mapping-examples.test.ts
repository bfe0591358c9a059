import { describe, expect, it } from 'vitest'
import { faultsOf } from './mapping-fixtures.ts'

describe('parseMapping() with failing examples', () => {
  const rules = [{ role: 'member', groups: ['developers'] }]
  const alice = { user: 'alice', project: 'demo', roles: ['member'] }
  const faults = (example: object, rest: object = {}) => faultsOf({ rules, ...rest, examples: [alice, example] })

  it('reports the expected and the actual result', () => {
    expect(faults({ ...alice, username: 'bob' })).toEqual({ 'examples[1].username': 'expected bob, got alice' })
    expect(faults({ ...alice, groups: ['developers', 'admins'] })).toEqual({
      'examples[1].groups': 'expected admins, got 00000000000000000000000000000002, developers',
    })
    expect(faults({ ...alice, 'not-groups': ['developers'] })).toEqual({
      'examples[1].not-groups': 'expected no developers, got 00000000000000000000000000000002, developers',
    })
    expect(faults({ user: 'bob', groups: ['x'] }, { groups: { project: false } })).toEqual({
      'examples[1].groups': 'expected x, got no groups',
    })
  })

  it('reports an unexpected login and an unexpected refusal', () => {
    expect(faults({ ...alice, authenticated: false })).toEqual({
      'examples[1].authenticated': 'expected a refusal, got the user alice',
    })
    expect(faults({ user: 'mallory' }, { deny: { users: ['mallory'] } })).toEqual({
      'examples[1]': 'expected to be authenticated, got a refusal: denied by user',
    })
    expect(faults({ user: 'system:admin' })).toEqual({
      'examples[1]': 'expected to be authenticated, got a refusal: reserved_name',
    })
  })

  it('reports all failing examples at once', () => {
    expect(Object.keys(faults({ ...alice, username: 'bob', groups: ['x'], 'not-groups': ['developers'] }))).toEqual([
      'examples[1].username',
      'examples[1].groups',
      'examples[1].not-groups',
    ])
  })
})

describe('parseMapping() with passing examples', () => {
  const id = 'f'.repeat(32)
  const cases: [string, object][] = [
    ['a refusal', { deny: { users: ['bob'] }, examples: [{ user: 'bob', authenticated: false }] }],
    ['a user by id', { deny: { users: [id] }, examples: [{ user: id, authenticated: false }, { user: 'bob' }] }],
    ['a user by user-id', { deny: { users: [id] }, examples: [{ 'user-id': id, authenticated: false }] }],
    ['nobody in particular', { rules: [{ groups: ['all'] }], examples: [{ groups: ['all'] }] }],
    [
      'a project by id',
      {
        examples: [
          { user: 'a', project: id, groups: [id] },
          { user: 'a', 'project-id': id, groups: [id] },
        ],
      },
    ],
    ['a domain by id', { examples: [{ user: 'bob', domain: id, username: `bob@${id}` }] }],
    [
      'a domain by name',
      { rules: [{ domain: 'other', groups: ['x'] }], examples: [{ user: 'a', domain: 'other', groups: ['x'] }] },
    ],
    [
      'a project elsewhere',
      {
        rules: [{ project: { name: 'demo', domain: id }, groups: ['x'] }],
        examples: [
          { user: 'a', project: 'demo', 'project-domain': id, groups: ['x'] },
          { user: 'a', project: 'demo', 'not-groups': ['x'] },
        ],
      },
    ],
    [
      'Keystone groups',
      {
        rules: [{ group: { name: 'ops', domain: id }, groups: ['x'] }],
        examples: [
          { user: 'a', 'keystone-groups': ['ops'], groups: ['ops'], 'not-groups': ['x'] },
          { user: 'a', 'keystone-groups': [{ name: 'ops', domain: id }], groups: [`ops@${id}`, 'x'] },
        ],
      },
    ],
    [
      'another scope',
      {
        allow: { scopes: ['system'] },
        rules: [{ role: 'admin', groups: ['x'] }],
        examples: [
          { user: 'a', scope: 'system', roles: ['admin'], groups: ['x'] },
          { user: 'a', authenticated: false },
        ],
      },
    ],
  ]
  for (const [what, document] of cases)
    it(`accepts examples with ${what}`, () => expect(faultsOf(document)).toEqual({}))
})
