import { describe, expect, it } from 'vitest'
import { explainPolicy } from '../../../src/policy/explain-policy.ts'
import { parsePolicy } from '../../../src/policy/parse-policy.ts'
import { corpus, documentsOf, principals, refusedDocuments, toAttributes } from './corpus.ts'
import { policyOf } from './policy-fixtures.ts'

const HOME = 'default'

for (const [file, groups] of corpus) {
  describe(`corpus ${file}`, () => {
    for (const group of groups) {
      for (const { form, document } of documentsOf(group)) {
        describe(`${group.row}, ${form} form: ${group.about}`, () => {
          const policy = policyOf(document, HOME)
          for (const { name, as = group.as, request, decision } of group.cases) {
            const expected = typeof decision === 'string' ? decision : decision[form]
            it(`${name}: ${expected}`, () => {
              const principal = principals[as]
              if (principal === undefined) throw new Error(`no principal ${as}`)
              const attributes = toAttributes(principal, request)
              const got = policy.decide(attributes)
              expect(got.decision).toBe(expected)
              const { decision: explained, rules } = explainPolicy(policy, attributes, HOME)
              expect(explained).toEqual(got)
              expect(rules.find(({ applied }) => applied)?.path).toBe(got.decision === 'allow' ? got.path : undefined)
            })
          }
        })
      }
    }
  })
}

describe('the corpus', () => {
  it('uses every principal', () => {
    const used = corpus.flatMap(([, groups]) => groups.flatMap(({ as, cases }) => [as, ...cases.map((one) => one.as)]))
    expect(new Set(used.filter((name) => name !== undefined))).toEqual(new Set(Object.keys(principals)))
  })

  it('names each case once within its group', () => {
    const names = corpus.flatMap(([file, groups]) =>
      groups.flatMap(({ row, about, cases }) => cases.map(({ name }) => [file, row, about, name].join('\n'))),
    )
    expect(names).toEqual([...new Set(names)])
  })

  it('has allowed and not allowed cases in each row but those that say nothing can match', () => {
    const verdicts = new Map<string, Set<string>>()
    for (const [, groups] of corpus) {
      for (const { row, cases } of groups) {
        const known = verdicts.get(row) ?? new Set()
        for (const { decision } of cases) {
          for (const one of typeof decision === 'string' ? [decision] : Object.values(decision)) known.add(one)
        }
        verdicts.set(row, known)
      }
    }
    const oneSided = [...verdicts].filter(([, known]) => known.size === 1 || !known.has('allow')).map(([row]) => row)
    expect(oneSided.sort()).toEqual(['empty document', 'v1 match type', 'v1 match values', 'v2 users with neither'])
  })
})

describe('documents that are refused', () => {
  for (const { row, about, document, faults } of refusedDocuments) {
    it(`${row}: ${about}`, () => {
      const parsed = parsePolicy(document, HOME)
      const found = parsed.ok ? {} : Object.fromEntries(parsed.error.map(({ path, message }) => [path, message]))
      expect(found).toEqual(faults)
    })
  }
})
