import { describe, expect, it } from 'vitest'
import { findCallersWarnings } from '../../../../src/documents/callers-warnings.ts'
import { findAuthenticatorsWarnings } from '../../../../src/mapping/authenticators-warnings.ts'
import { findMappingWarnings } from '../../../../src/mapping/mapping-warnings.ts'
import { parseMapping } from '../../../../src/mapping/parse-mapping.ts'
import { parsePolicy } from '../../../../src/policy/parse-policy.ts'
import { findPolicyWarnings } from '../../../../src/policy/policy-warnings.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

function ofMapping(document: unknown): Record<string, string> {
  const parsed = parseMapping(document, { digest: '', homeDomain: 'default' })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return byPath(findMappingWarnings(document))
}

function ofPolicy(document: unknown): Record<string, string> {
  const parsed = parsePolicy(document, 'default')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return byPath(findPolicyWarnings(document, parsed.value.policy))
}

function byPath(warnings: readonly { path: string; message: string }[]): Record<string, string> {
  return Object.fromEntries(warnings.map(({ path, message }) => [path, message]))
}

describe('findMappingWarnings()', () => {
  it.each([
    ['a rule for everybody', { rules: [{ groups: ['a'] }] }, 'rules[0]', 'every user'],
    ['a rule that does nothing', { rules: [{ role: 'a' }] }, 'rules[0]', 'does nothing'],
    [
      'system:masters',
      { rules: [{ role: 'a', groups: ['system:masters'] }], 'system-groups': ['system:masters'] },
      'rules[0].groups[0]',
      'passes every authorizer',
    ],
    ['a system: group that nobody gets', { 'system-groups': ['system:x'] }, 'system-groups[0]', 'no rule grants'],
    ['an allow that lets nobody in', { allow: { projects: [] } }, 'allow.projects', 'nobody can log in'],
    [
      'a rule for denied users',
      { deny: { users: ['eve'] }, rules: [{ user: ['eve'], groups: ['a'] }] },
      'rules[0].user',
      'never reached',
    ],
    [
      'a rule that an earlier one covers',
      {
        rules: [
          { role: ['a', 'b'], groups: ['x', 'y'] },
          { role: ['b', 'a'], groups: ['y'] },
        ],
      },
      'rules[1]',
      'adds nothing: rules[0]',
    ],
    [
      'a rule that a role mapping covers',
      { 'role-mappings': [{ 'keystone-role': 'a', groups: ['x'] }], rules: [{ role: 'a', groups: ['x'] }] },
      'rules[0]',
      'adds nothing: role-mappings[0]',
    ],
    [
      'a user name that a later rule replaces',
      { rules: [{ role: 'a', username: 'a:{user.name}' }, { username: 'b:{user.name}' }] },
      'rules[0].username',
      'never used: rules[1]',
    ],
  ])('warns of %s', (_, document, path, message) => {
    expect(ofMapping(document)[path]).toContain(message)
  })

  it.each([
    [{}],
    [
      {
        rules: [
          { role: 'a', groups: ['x'] },
          { role: 'b', groups: ['x'] },
        ],
      },
    ],
    [
      {
        rules: [
          { role: 'a', groups: ['{role}'] },
          { role: 'b', groups: ['{role}'] },
        ],
      },
    ],
    [
      {
        rules: [
          { role: 'a', username: 'a:{user.name}' },
          { role: 'b', username: 'b:{user.name}' },
        ],
      },
    ],
    [
      {
        rules: [
          { role: 'a', groups: ['x'] },
          { role: 'a', groups: ['x'], username: 'b:{user.name}' },
        ],
      },
    ],
  ])('does not warn of %j', (document) => {
    expect(ofMapping(document)).toEqual({})
  })
})

describe('findPolicyWarnings()', () => {
  const users = { roles: ['member'], projects: ['demo'] }

  it.each([
    ['an entry without users', [{ resource_permissions: { 'a/b': ['get'] } }], '[0]', 'every Keystone user'],
    [
      'a match of everybody',
      [{ nonresource: { verbs: ['get'], path: '/x' }, match: [{ type: 'role', values: ['*'] }] }],
      '[0]',
      'every Keystone user',
    ],
    [
      'Pods in kube-system',
      [{ users, resource_permissions: { '*/pods': ['*'] } }],
      '[0].resource_permissions["*/pods"]',
      'create pods',
    ],
    [
      'Secrets of kube-system, in version 1',
      { policies: [{ users, resource: { verbs: ['list'], resources: ['secrets'] } }] },
      'policies[0].resource',
      'list secrets',
    ],
    [
      'a permission that an earlier entry grants',
      [
        { users, resource_permissions: { 'a/pods': ['get', 'list'] } },
        { users: { projects: ['demo'], roles: ['member'] }, resource_permissions: { 'A/Pods': ['GET'] } },
      ],
      '[1].resource_permissions["A/Pods"]',
      'adds nothing: [0]',
    ],
    [
      'a permission beside one for everything',
      [{ users, resource_permissions: { '*/*': ['*'], 'a/pods': ['get'] } }],
      '[0].resource_permissions["a/pods"]',
      'adds nothing',
    ],
  ])('warns of %s', (_, document, path, message) => {
    expect(ofPolicy(document)[path]).toContain(message)
  })

  it.each([
    [[]],
    [[{ users, resource_permissions: { '*/pods': ['get', 'list', 'watch'] } }]],
    [[{ users, resource_permissions: { "!kube-system/!['x']": ['*'] } }]],
    [{ policies: [{ users, resource_permissions: { 'a/pods': ['get'], 'a/pods/log': ['get'] } }] }],
    [
      [
        { users, resource_permissions: { 'a/pods': ['get'] } },
        { users: { ...users, roles: ['reader'] }, resource_permissions: { 'a/pods': ['get'] } },
      ],
    ],
  ])('does not warn of %j', (document) => {
    expect(ofPolicy(document)).toEqual({})
  })
})

describe('findAuthenticatorsWarnings()', () => {
  it('warns of system:masters and of system: groups that nobody gets', () => {
    const document = {
      static: [{ token: DIGEST, username: 'a', groups: ['system:masters'] }],
      'system-groups': ['system:masters', 'system:x'],
    }
    expect(Object.keys(byPath(findAuthenticatorsWarnings(document)))).toEqual([
      'static[0].groups[0]',
      'system-groups[1]',
    ])
  })
})

describe('findCallersWarnings()', () => {
  it('warns of a cluster without credentials and of a credential that is listed twice', () => {
    const document = { 'prod-1': { credentials: [] }, 'prod-2': { credentials: [DIGEST, DIGEST] } }
    expect(Object.keys(byPath(findCallersWarnings(document)))).toEqual(['prod-1.credentials', 'prod-2.credentials[1]'])
  })
})
