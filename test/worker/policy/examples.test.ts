import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { PolicyObjectSchema } from '../../../src/policy/policy-document.ts'
import { parsedOf } from './policy-fixtures.ts'

const files = import.meta.glob('../../../examples/*.json', { eager: true, import: 'default' })

describe('examples/', () => {
  it('has the three roles of Magnum', () => expect(Object.keys(files)).toContain('../../../examples/magnum-roles.json'))

  for (const [path, document] of Object.entries(files)) {
    it(`${path} holds, and all of it means something`, () => {
      expect(parsedOf(document)).toMatchObject({ warnings: [] })
    })

    it(`${path} shows for each role what it may and what it may not`, () => {
      const { policies, examples } = v.parse(PolicyObjectSchema, document)
      for (const role of policies.flatMap(({ users }) => users?.roles ?? [])) {
        const verdicts = examples.filter(({ roles }) => roles.includes(role)).map(({ decision }) => decision)
        expect([role, ...new Set(verdicts)].sort()).toEqual(['allow', role, 'no_opinion'].sort())
      }
    })
  }
})
