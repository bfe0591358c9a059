import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../../src/policy/parse-policy.ts'
import { parsedOf } from './policy-fixtures.ts'

const ID = 'c'.repeat(32)
const REQUEST = { verbs: ['get'], resources: ['pods'], version: '*', namespace: '*' }

/** What can never grant anything, by its place. */
function inertOf(document: unknown): Record<string, string> {
  return Object.fromEntries(parsedOf(document).warnings.map(({ path, message }) => [path, message]))
}

describe('what is inert is reported', () => {
  const both: [string, object, Record<string, string>][] = [
    ['nothing', { resource_permissions: { '*/pods': ['get'], '!a/*': ['*'] } }, {}],
    ['nothing of a name', { resource: REQUEST, match: [{ type: 'user', values: ['alice', '*', ''] }] }, {}],
    [
      'a key without a slash',
      { resource_permissions: { pods: ['get'] } },
      { '.resource_permissions["pods"]': expect.stringContaining('never matches: expected') },
    ],
    [
      'a half that is empty',
      { resource_permissions: { '/pods': [], 'a/': [] } },
      {
        '.resource_permissions["/pods"]': 'never matches: the namespace is empty',
        '.resource_permissions["a/"]': 'never matches: the resource is empty',
      },
    ],
    [
      'a half that negates nothing',
      { resource_permissions: { 'a/!': [] } },
      { '.resource_permissions["a/!"]': 'never matches: the resource negates nothing' },
    ],
    [
      'a list that is none',
      { resource_permissions: { '[a]/pods': [] } },
      { '.resource_permissions["[a]/pods"]': "never matches: the namespace is not a list such as ['a', 'b']" },
    ],
    ['an empty list of projects', { users: { projects: [] } }, { '.users': 'matches nobody: projects is empty' }],
    [
      'a condition without values',
      { match: [{ type: 'role' }, { type: 'user', values: [] }] },
      {
        '.match[0]': 'never matches: there are no values',
        '.match[1]': 'never matches: there are no values',
      },
    ],
  ]
  for (const [what, entry, expected] of both) {
    it(`in both forms: ${what}`, () => {
      const at = (prefix: string) =>
        Object.fromEntries(Object.entries(expected).map(([place, text]) => [prefix + place, text]))
      expect(inertOf([{}, entry])).toEqual(at('[1]'))
      expect(inertOf({ policies: [{}, entry] })).toEqual(at('policies[1]'))
    })
  }

  it('in the list form: what the object form understands', () => {
    const entry = {
      users: { roles: ['member'] },
      resource_permissions: { 'a/pods/log': ['get'] },
      nonresource_permissions: { '/logs*': ['get'] },
      match: [{ type: 'user', values: ['alice', ID] }],
    }
    expect(inertOf([entry])).toEqual({
      '[0].users': 'matches nobody: the list form needs projects',
      '[0].resource_permissions["a/pods/log"]': 'never matches: expected exactly one /',
      '[0].nonresource_permissions["/logs*"]': expect.stringContaining('no prefixes in the list form'),
      '[0].match[0].values[1]': 'never matches: the list form compares no uids',
    })
    expect(inertOf({ policies: [entry] })).toEqual({
      'policies[0].users': 'matches these roles in every project: there are no projects',
    })
  })

  it('in the list form: an unknown type', () => {
    expect(inertOf([{ match: [{ type: 'domain', values: ['*'] }] }])).toEqual({
      '[0].match[0]': 'never matches: expected user, group, project or role',
    })
  })

  it('in the object form: users of nobody, and a key of four parts', () => {
    expect(inertOf({ policies: [{ users: {}, resource_permissions: { 'a/b/c/d': [] } }] })).toEqual({
      'policies[0].users': 'matches nobody: there are neither roles nor projects',
      'policies[0].resource_permissions["a/b/c/d"]': 'never matches: expected one / or two',
    })
  })
})

describe('what is broader than it looks is reported', () => {
  it('users without projects, in the object form', () => {
    const entry = { users: { roles: ['member'] } }
    expect(parsedOf({ policies: [{}, entry] }).warnings).toEqual([
      { path: 'policies[1].users', message: 'matches these roles in every project: there are no projects' },
    ])
    expect(parsedOf([entry]).warnings).toEqual([
      { path: '[0].users', message: 'matches nobody: the list form needs projects' },
    ])
    expect(parsedOf({ policies: [{ users: { roles: ['member'], projects: ['demo'] } }] }).warnings).toEqual([])
  })
})

describe('the size of a policy', () => {
  const permissions = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`ns${index}/pods`, ['get']]))

  it('is 10,000 entries and permissions at most', () => {
    expect(parsePolicy([{ resource_permissions: permissions(9_999) }], 'default').ok).toBe(true)
    for (const document of [
      [{ resource_permissions: permissions(10_000) }],
      { policies: [{ nonresource_permissions: permissions(10_000) }] },
      Array.from({ length: 10_001 }, () => ({})),
    ]) {
      expect(parsePolicy(document, 'default')).toEqual({
        ok: false,
        error: [
          { path: '', message: expect.stringMatching(/^has 10001 entries and permissions, and 10000 is the limit/) },
        ],
      })
    }
  })

  it('with 100,000 spaces inside a key is read without delay', () => {
    const startedAtMs = performance.now()
    parsePolicy([{ resource_permissions: { [`a${' '.repeat(100_000)}b/pods`]: ['get'] } }], 'default')
    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
  })
})

describe('a document', () => {
  it('may be empty in both forms, and name its schema', () => {
    for (const document of [[], {}, { policies: [] }, { $schema: './schemas/policy.schema.json' }]) {
      expect(parsedOf(document)).toMatchObject({ warnings: [] })
    }
  })

  it('has no key that every object has', () => {
    for (const document of [{ constructor: 1 }, [{ constructor: 1 }], { policies: [{ users: { toString: 1 } }] }]) {
      const parsed = parsePolicy(document, 'default')
      expect(parsed.ok ? [] : parsed.error.map(({ message }) => message)).toEqual(['is not a key here'])
    }
  })

  it('may name users, groups and roles with a $ that is no variable', () => {
    const values = ['host$', 'a$-b', 'cash $']
    expect(inertOf([{ resource: REQUEST, match: [{ type: 'user', values }] }])).toEqual({})
  })

  it('may hold an example with all of its keys, those that do not apply empty', () => {
    const example = {
      user: 'alice',
      groups: [],
      roles: ['member'],
      project: 'demo',
      verb: 'get',
      resource: 'pods',
      subresource: '',
      group: '',
      namespace: 'default',
      name: '',
      path: '',
      decision: 'allow',
    }
    const policies = [{ users: { roles: ['member'], projects: ['demo'] }, resource_permissions: { '*/pods': ['get'] } }]
    const other = { ...example, resource: '', namespace: '', path: '/metrics', decision: 'no_opinion' }
    expect(parsePolicy({ policies, examples: [example, other] }, 'default').ok).toBe(true)
  })

  it('may hold examples of ids, uids and other domains', () => {
    const policies = [
      { users: { projects: [ID] }, resource_permissions: { 'a/x': ['get'] } },
      { users: { projects: [{ name: 'demo', domain: ID }] }, resource_permissions: { 'b/x': ['get'] } },
      { resource: { ...REQUEST, namespace: 'c' }, match: [{ type: 'user', values: [ID] }] },
    ]
    const x = { verb: 'get', resource: 'x', decision: 'allow' }
    const examples = [
      { ...x, project: ID, namespace: 'a' },
      { ...x, 'project-id': ID, project: 'any', namespace: 'a' },
      { ...x, project: 'demo', 'project-domain': ID, namespace: 'b' },
      { ...x, project: 'demo', namespace: 'b', decision: 'no_opinion' },
      { ...x, uid: ID, resource: 'pods', namespace: 'c' },
      { ...x, user: ID, resource: 'pods', namespace: 'c', decision: 'no_opinion' },
    ]
    const parsed = parsePolicy({ policies, examples }, 'default')
    expect(parsed.ok ? [] : parsed.error).toEqual([])
  })
})
