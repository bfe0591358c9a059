import { describe, expect, it } from 'vitest'
import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import { explainPolicy } from '../../../src/policy/explain-policy.ts'
import { attributes, IDENTITY, path, policyOf, resource } from './policy-fixtures.ts'

const ENTRIES = [
  {
    users: { roles: ['member'], projects: ['demo'] },
    resource_permissions: { 'default/pods': ['get'], '!kube-system/services': ['*'] },
    nonresource_permissions: { '/healthz': ['get'] },
  },
  {
    resource: { verbs: ['list'], resources: ['pods'], version: 'apps', namespace: 'default' },
    nonresource: { verbs: ['get'], path: '/logs/*' },
    match: [
      { type: 'role', values: ['member'] },
      { type: 'group', values: ['ops'] },
    ],
  },
]

/** The name of the condition that failed, or `applied`, by the path of the rule. */
function explain(facts: Partial<AccessAttributes>, document: unknown = ENTRIES) {
  const { rules } = explainPolicy(policyOf(document), attributes(facts), 'default')
  return Object.fromEntries(rules.map(({ path, applied, failed }) => [path, applied ? 'applied' : failed]))
}

const PODS = '[0].resource_permissions["default/pods"]'
const SERVICES = '[0].resource_permissions["!kube-system/services"]'
const HEALTH = '[0].nonresource_permissions["/healthz"]'

describe('explainPolicy()', () => {
  it('lists every rule in the order of the document, with the first condition that failed', () => {
    expect(Object.entries(explain({}))).toEqual([
      [PODS, 'applied'],
      [SERVICES, 'resource'],
      [HEALTH, 'kind'],
      ['[1].resource', 'match[1]'],
      ['[1].nonresource', 'match[1]'],
    ])
  })

  it('names the failed condition on the request', () => {
    expect(explain({ request: resource({ verb: 'list' }) })).toMatchObject({ [PODS]: 'verb', [SERVICES]: 'resource' })
    expect(explain({ request: resource({ namespace: 'kube-system' }) })).toMatchObject({
      [PODS]: 'namespace',
      [SERVICES]: 'namespace',
    })
    expect(explain({ request: resource({ resource: 'services' }) })).toMatchObject({
      [PODS]: 'resource',
      [SERVICES]: 'applied',
    })
    expect(explain({ request: resource({ subresource: 'log' }) })).toMatchObject({ [PODS]: 'resource' })
    expect(explain({ request: path('/healthz') })).toMatchObject({ [PODS]: 'kind', [HEALTH]: 'applied' })
    expect(explain({ request: path('/healthz', 'post') })).toMatchObject({ [HEALTH]: 'verb' })
    expect(explain({ request: path('/healthz/etcd') })).toMatchObject({ [HEALTH]: 'path' })
  })

  it('names the failed condition of a version 1 rule', () => {
    const groups = ['ops']
    const asked = { verb: 'list', group: 'apps' }
    const failed = (request: AccessAttributes['request']) => explain({ groups, request })['[1].resource']
    expect(failed(resource(asked))).toBe('applied')
    expect(failed(resource({ ...asked, verb: 'get' }))).toBe('verb')
    expect(failed(resource({ ...asked, group: '' }))).toBe('version')
    expect(failed(resource({ ...asked, namespace: '' }))).toBe('namespace')
    expect(failed(resource({ ...asked, subresource: 'log' }))).toBe('resources')
    expect(failed(path('/logs/'))).toBe('kind')
    expect(explain({ groups, request: path('/logs/') })['[1].nonresource']).toBe('applied')
    expect(explain({ groups, request: path('/logs') })['[1].nonresource']).toBe('path')
    expect(explain({ groups, request: path('/logs/', 'post') })['[1].nonresource']).toBe('verb')
  })

  it('names a failed condition on the user before one on the request', () => {
    const other = { ...attributes().extra, [`${IDENTITY}/roles`]: ['reader'] }
    expect(explain({ extra: other })).toMatchObject({ [PODS]: 'users.roles', '[1].resource': 'match[0]' })
    const elsewhere = { ...attributes().extra, [`${IDENTITY}/project/name`]: ['production'] }
    expect(explain({ extra: elsewhere, request: path('/x') })).toMatchObject({ [PODS]: 'users.projects' })
  })

  it('names extra when the user is not a Keystone user', () => {
    expect(new Set(Object.values(explain({ extra: {} })))).toEqual(new Set(['extra']))
    expect(explainPolicy(policyOf(ENTRIES), attributes({ extra: {} }), 'default').decision).toEqual({
      decision: 'no_opinion',
      because: 'not_keystone',
    })
  })

  it('shows all rules that apply, and the first as the decision', () => {
    const all = { resource_permissions: { '*/*': ['*'], '*/pods': ['get'] } }
    const { decision, rules } = explainPolicy(policyOf([...ENTRIES, all, all]), attributes(), 'default')
    expect(decision).toEqual({ decision: 'allow', path: PODS })
    expect(rules.filter(({ applied }) => applied).map((rule) => rule.path)).toEqual([
      PODS,
      '[2].resource_permissions["*/*"]',
      '[2].resource_permissions["*/pods"]',
      '[3].resource_permissions["*/*"]',
      '[3].resource_permissions["*/pods"]',
    ])
  })

  it('has the paths and the deny of the object form', () => {
    const document = { policies: ENTRIES, on_no_match: 'deny' }
    expect(Object.keys(explain({}, document))[0]).toBe(`policies${PODS}`)
    const { decision } = explainPolicy(policyOf(document), attributes({ request: path('/x') }), 'default')
    expect(decision).toEqual({ decision: 'deny' })
  })

  it('leaves out rules that can never match, which parsePolicy() reports', () => {
    expect(explain({}, [{ resource_permissions: { pods: ['get'] } }, {}])).toEqual({})
  })

  it('returns plain data', () => {
    const explanation = explainPolicy(policyOf(ENTRIES), attributes(), 'default')
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
  })

  it('matches project names in the home domain only', () => {
    const policy = policyOf([{ users: { projects: ['demo'] }, resource_permissions: { '*/*': ['*'] } }], 'd'.repeat(32))
    const { decision, rules } = explainPolicy(policy, attributes(), 'd'.repeat(32))
    expect([decision.decision, rules[0]?.failed]).toEqual(['no_opinion', 'users.projects'])
  })
})
