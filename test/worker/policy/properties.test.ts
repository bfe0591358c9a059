import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import { explainPolicy } from '../../../src/policy/explain-policy.ts'
import { parsePolicy } from '../../../src/policy/parse-policy.ts'
import { anyAttributes, anyJson, HOME, listDocument, listEntry, objectDocument, objectEntry } from './arbitraries.ts'
import { keystoneAuthAllows } from './k8s-keystone-auth-model.ts'
import { parsedOf, policyOf } from './policy-fixtures.ts'
import { type Document, judge } from './reference.ts'

const reviews = fc.array(anyAttributes, { minLength: 12, maxLength: 12 })
const MANY = { numRuns: 3000 }

function decide(document: unknown, attributes: AccessAttributes): string {
  return policyOf(document, HOME).decide(attributes).decision
}

describe.each<[string, fc.Arbitrary<Document>]>([
  ['list', listDocument],
  ['object', objectDocument],
])('random policies in the %s form', (_, documents) => {
  it('get the verdicts of the plain evaluator, and both verdicts come up', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(documents, reviews, (document, all) => {
        const policy = policyOf(document, HOME)
        for (const attributes of all) {
          const { decision } = policy.decide(attributes)
          expect([decision, attributes]).toEqual([judge(document, attributes, HOME), attributes])
          seen.set(decision, (seen.get(decision) ?? 0) + 1)
        }
      }),
      MANY,
    )
    // A comparison of refusals alone would prove nothing.
    expect(seen.get('allow')).toBeGreaterThan(300)
    expect(seen.get('no_opinion')).toBeGreaterThan(300)
  })

  it('are explained as they are decided', () => {
    fc.assert(
      fc.property(documents, anyAttributes, (document, attributes) => {
        const policy = policyOf(document, HOME)
        const decided = policy.decide(attributes)
        const { decision, rules } = explainPolicy(policy, attributes, HOME)
        expect(decision).toEqual(decided)
        expect(rules.find(({ applied }) => applied)?.path).toBe(decided.decision === 'allow' ? decided.path : undefined)
        expect(rules.every(({ applied, failed }) => applied === (failed === undefined))).toBe(true)
      }),
    )
  })

  it('never allow by a permission that a warning names', () => {
    fc.assert(
      fc.property(documents, anyAttributes, (document, attributes) => {
        const { policy, warnings } = parsedOf(document, HOME)
        const decided = policy.decide(attributes)
        if (decided.decision === 'allow') {
          const keys = warnings.map(({ path }) => path).filter((path) => path.includes('_permissions['))
          const isPrefix = decided.path.endsWith('*"]')
          expect(isPrefix ? [] : keys).not.toContain(decided.path)
        }
      }),
    )
  })
})

describe('another entry', () => {
  it('never takes an allow away, in the list form', () => {
    fc.assert(
      fc.property(listDocument, listEntry, fc.nat(), reviews, (document, entry, at, all) => {
        const place = at % (document.length + 1)
        const more = [...document.slice(0, place), entry, ...document.slice(place)]
        for (const attributes of all) {
          if (decide(document, attributes) === 'allow') expect(decide(more, attributes)).toBe('allow')
        }
      }),
    )
  })

  it('never takes an allow away, in the object form', () => {
    fc.assert(
      fc.property(objectDocument, objectEntry, fc.nat(), reviews, (document, entry, at, all) => {
        const place = at % (document.policies.length + 1)
        const policies = [...document.policies.slice(0, place), entry, ...document.policies.slice(place)]
        for (const attributes of all) {
          if (decide(document, attributes) === 'allow')
            expect(decide({ ...document, policies }, attributes)).toBe('allow')
        }
      }),
    )
  })
})

describe('the order of entries', () => {
  const shuffled = fc.infiniteStream(fc.nat())

  it('never matters', () => {
    fc.assert(
      fc.property(objectDocument, listDocument, shuffled, reviews, (wide, narrow, order, all) => {
        const policies = shuffle(wide.policies, order)
        const entries = shuffle(narrow, order)
        for (const attributes of all) {
          expect(decide({ ...wide, policies }, attributes)).toBe(decide(wide, attributes))
          expect(decide(entries, attributes)).toBe(decide(narrow, attributes))
        }
      }),
    )
  })

  it('decides only which entry is named: the first one that allows', () => {
    const entry = { resource_permissions: { '*/pods': ['*'] } }
    fc.assert(
      fc.property(listDocument, anyAttributes, (document, attributes) => {
        const decided = policyOf([entry, ...document]).decide(attributes)
        const alone = policyOf([entry]).decide(attributes)
        if (alone.decision === 'allow') expect(decided).toEqual(alone)
      }),
    )
  })
})

describe('the list form', () => {
  it('never allows what k8s-keystone-auth does not', () => {
    let same = 0
    fc.assert(
      fc.property(listDocument, reviews, (document, all) => {
        for (const attributes of all) {
          if (decide(document, attributes) !== 'allow') continue
          expect([keystoneAuthAllows(document, attributes), attributes]).toEqual([true, attributes])
          same += 1
        }
      }),
      MANY,
    )
    expect(same).toBeGreaterThan(300)
  })
})

describe('any JSON at all', () => {
  it('is a policy that decides everything, or has faults; it never throws', () => {
    let held = 0
    fc.assert(
      fc.property(anyJson, reviews, (document, all) => {
        const parsed = parsePolicy(document, HOME)
        if (!parsed.ok) {
          expect(parsed.error.length).toBeGreaterThan(0)
          expect(parsed).not.toHaveProperty('value')
          return
        }
        held += 1
        for (const attributes of all) parsed.value.policy.decide(attributes)
      }),
      MANY,
    )
    expect(held).toBeGreaterThan(30)
  })

  it('among the entries of a policy refuses all of it, when it is a fault by itself', () => {
    fc.assert(
      fc.property(anyJson, listDocument, (entry, document) => {
        if (!parsePolicy([entry], HOME).ok) expect(parsePolicy([...document, entry], HOME).ok).toBe(false)
        const policies = [...document.filter(({ match = [] }) => match.length === 0), entry]
        if (!parsePolicy({ policies: [entry] }, HOME).ok) expect(parsePolicy({ policies }, HOME).ok).toBe(false)
      }),
    )
  })
})

describe('any attributes at all', () => {
  it('are decided without a throw', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('__proto__', 'constructor', 'toString'),
    )
    const texts = fc.array(text, { maxLength: 3 })
    const hostile = fc.record({
      user: text,
      uid: text,
      groups: texts,
      extra: fc.dictionary(fc.oneof(text, fc.constantFrom('alpha.kubernetes.io/identity/roles')), texts),
      request: fc.oneof(
        fc.record({
          kind: fc.constant('resource' as const),
          verb: text,
          group: text,
          resource: text,
          subresource: text,
          namespace: text,
          name: text,
        }),
        fc.record({ kind: fc.constant('nonresource' as const), verb: text, path: text }),
      ),
    })
    fc.assert(
      fc.property(objectDocument, listDocument, hostile, (wide, narrow, attributes) => {
        expect(['allow', 'deny', 'no_opinion']).toContain(decide(wide, attributes))
        expect(['allow', 'no_opinion']).toContain(decide(narrow, attributes))
      }),
    )
  })
})

function shuffle<T>(values: readonly T[], order: Iterator<number>): T[] {
  const ranked = values.map((value) => ({ value, rank: Number(order.next().value) }))
  return ranked.sort((one, other) => one.rank - other.rank).map(({ value }) => value)
}
