import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import { isExempt } from '../../../src/policy/exemptions.ts'
import { attributes, DEMO_ID, IDENTITY, path, policyOf, resource } from './policy-fixtures.ts'

// The requests that on_no_match "deny" does not deny. The requests of kubectl are in the corpus (on-no-match.json).

const DENY = policyOf({ on_no_match: 'deny' })
const decide = (facts: Partial<AccessAttributes>) => DENY.decide(attributes(facts)).decision
const OPEN_ROOTS = ['/api', '/apis', '/openapi']
const OPEN_PATHS = ['/version', '/healthz', '/livez', '/readyz']

describe('on_no_match', () => {
  it('is no_opinion in the list form, which has no deny', () => {
    expect(policyOf([]).decide(attributes())).toEqual({ decision: 'no_opinion', because: 'no_match' })
  })

  it('denies when no rule allows', () => {
    const policy = policyOf({ policies: [{ resource_permissions: { '*/pods': ['get'] } }], on_no_match: 'deny' })
    expect(policy.decide(attributes()).decision).toBe('allow')
    expect(policy.decide(attributes({ request: resource({ verb: 'list' }) }))).toEqual({ decision: 'deny' })
  })

  it('gives no opinion, with the reason, when the user is not a Keystone user', () => {
    expect(DENY.decide(attributes({ extra: {} }))).toEqual({ decision: 'no_opinion', because: 'not_keystone' })
    const impersonated = { 'example.org/team': ['a'], 'keystone.openstack.org/scope': ['project'] }
    expect(DENY.decide(attributes({ extra: impersonated }))).toEqual({
      decision: 'no_opinion',
      because: 'not_keystone',
    })
  })

  it('denies when extra has a single key of k8s-keystone-auth', () => {
    expect(decide({ extra: { [`${IDENTITY}/project/id`]: [DEMO_ID] } })).toBe('deny')
  })
})

describe('isExempt() for system: users and groups', () => {
  for (const user of ['system:admin', 'system:node:worker-1', 'system:serviceaccount:default:x', 'system:']) {
    it(`exempts the user ${user}`, () => expect(decide({ user })).toBe('no_opinion'))
  }
  for (const user of ['systemadmin', 'System:admin', ' system:admin', 'x:system:admin', 'system', '']) {
    it(`does not exempt the user ${JSON.stringify(user)}`, () => expect(decide({ user })).toBe('deny'))
  }
  for (const group of ['system:masters', 'system:nodes', 'system:unauthenticated', 'system:serviceaccounts']) {
    it(`exempts members of ${group}`, () => {
      expect(decide({ groups: ['a', 'system:authenticated', group] })).toBe('no_opinion')
    })
  }
  for (const group of ['system:authenticated', 'System:masters', 'system', ' system:masters', 'x-system:masters']) {
    it(`does not exempt members of ${JSON.stringify(group)}`, () => expect(decide({ groups: [group] })).toBe('deny'))
  }
  it('exempts members of a group that only begins with system:authenticated', () => {
    expect(decide({ groups: ['system:authenticated:x'] })).toBe('no_opinion')
  })
})

describe('isExempt() for discovery', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
  const below = fc.array(segment, { maxLength: 4 }).map((segments) => segments.map((one) => `/${one}`).join(''))

  it('exempts paths below /api, /apis and /openapi', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPEN_ROOTS), below, fc.constantFrom('', '/'), (root, rest, end) => {
        expect(decide({ request: path(`${root}${rest}${end}`) })).toBe('no_opinion')
      }),
    )
  })

  it('exempts exactly /version, /healthz, /livez and /readyz', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPEN_PATHS), below, (root, rest) => {
        expect(decide({ request: path(root) })).toBe('no_opinion')
        if (rest !== '') expect(decide({ request: path(`${root}${rest}`) })).toBe('deny')
      }),
    )
  })

  it('does not exempt a path with more text before or behind, or in another case', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPEN_ROOTS, ...OPEN_PATHS), fc.stringMatching(/^[^/]{1,6}$/), (root, more) => {
        const known = [...OPEN_ROOTS, ...OPEN_PATHS].includes(root + more)
        expect(decide({ request: path(root + more) })).toBe(known ? 'no_opinion' : 'deny')
        expect(decide({ request: path(more + root) })).toBe('deny')
        expect(decide({ request: path(`/${root}`) })).toBe('deny')
        expect(decide({ request: path(root.toUpperCase()) })).toBe('deny')
      }),
    )
  })

  it('does not exempt a path with . or .. as a segment', () => {
    const climbs = fc.constantFrom('/..', '/../metrics', '/./x', '/v1/../../metrics', '/.', '/x/..')
    fc.assert(
      fc.property(fc.constantFrom(...OPEN_ROOTS), climbs, (root, rest) => {
        expect(decide({ request: path(root + rest) })).toBe('deny')
      }),
    )
    for (const near of ['/api/...', '/api/..x', '/api/.well-known', '/apis/v1..']) {
      expect(decide({ request: path(near) })).toBe('no_opinion')
    }
  })

  it('does not exempt other verbs than get, nor resources of the same name', () => {
    for (const verb of ['post', 'put', 'patch', 'delete', 'head', 'GET', '*', '']) {
      expect(decide({ request: path('/api', verb) })).toBe('deny')
    }
    for (const name of ['api', 'apis', '/api', 'version']) {
      expect(decide({ request: resource({ resource: name }) })).toBe('deny')
      expect(decide({ request: resource({ name, resource: 'pods', namespace: '' }) })).toBe('deny')
    }
  })
})

describe('isExempt() for self reviews', () => {
  const reviews: [string, string][] = [
    ['selfsubjectaccessreviews', 'authorization.k8s.io'],
    ['selfsubjectrulesreviews', 'authorization.k8s.io'],
    ['selfsubjectreviews', 'authentication.k8s.io'],
  ]
  for (const [name, group] of reviews) {
    const own = { verb: 'create', resource: name, group, namespace: '' }
    it(`exempts the creation of ${name}`, () => {
      expect(decide({ request: resource(own) })).toBe('no_opinion')
      expect(decide({ request: resource({ ...own, group: '' }) })).toBe('no_opinion')
    })
    it(`does not exempt ${name} of another API group, verb or subresource`, () => {
      for (const other of ['example.org', `${group}.example.org`, `x${group}`, group.toUpperCase(), 'k8s.io']) {
        expect(decide({ request: resource({ ...own, group: other }) })).toBe('deny')
      }
      for (const verb of ['get', 'list', 'update', 'delete', 'Create', '*', '']) {
        expect(decide({ request: resource({ ...own, verb }) })).toBe('deny')
      }
      expect(decide({ request: resource({ ...own, subresource: 'status' }) })).toBe('deny')
      expect(decide({ request: resource({ ...own, resource: name.slice(4) }) })).toBe('deny')
      expect(decide({ request: resource({ ...own, resource: 'pods', subresource: name }) })).toBe('deny')
      expect(decide({ request: resource({ ...own, resource: 'pods', name }) })).toBe('deny')
    })
  }
})

describe('an exempt request', () => {
  it('gets no opinion, and is never allowed', () => {
    for (const request of [
      path('/api'),
      path('/version'),
      resource({ verb: 'create', resource: 'selfsubjectreviews' }),
    ]) {
      const asked = attributes({ request })
      expect(isExempt(asked)).toBe(true)
      expect(DENY.decide(asked)).toEqual({ decision: 'no_opinion', because: 'no_match' })
    }
  })
})
