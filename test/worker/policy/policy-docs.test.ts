import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import text from '../../../docs/policy.md?raw'
import { parseDocumentText } from '../../../src/documents/document-text.ts'
import { parsePolicy } from '../../../src/policy/parse-policy.ts'
import { PolicyObjectSchema } from '../../../src/policy/policy-document.ts'
import { checkPolicyExamples } from '../../../src/policy/policy-examples.ts'
import { parsedOf } from './policy-fixtures.ts'

/** The policies of the page, and the examples that follow those in the list form, each with its line. */
const blocks = [...text.matchAll(/^```json (policy|examples)\n([\s\S]*?)^```$/gm)].map(
  ({ 1: kind, 2: json = '', index }) => ({ kind, json, line: text.slice(0, index).split('\n').length + 1 }),
)

describe('docs/policy.md', () => {
  it('has policies', () => {
    expect(blocks.filter(({ kind }) => kind === 'policy').length).toBeGreaterThan(7)
  })

  for (const [index, { kind, json, line }] of blocks.entries()) {
    if (kind === 'examples') continue
    it(`line ${line}: a policy that holds, with examples of at least two verdicts`, () => {
      const parsed = parseDocumentText(json)
      const document = parsed.ok ? parsed.value : parsed.error
      const policy = parsePolicy(document, 'default')
      expect(policy.ok ? [] : policy.error).toEqual([])
      const { policy: compiled, warnings } = parsedOf(document)
      expect(warnings).toEqual([])
      const next = blocks[index + 1]
      const separate = next?.kind === 'examples' ? { examples: JSON.parse(next.json) } : undefined
      const { examples } = v.parse(PolicyObjectSchema, separate ?? document)
      expect(checkPolicyExamples(examples, compiled, 'default')).toEqual([])
      expect(new Set(examples.map(({ decision }) => decision)).size).toBeGreaterThan(1)
    })
  }

  it('links to headings that are there', () => {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    )
    for (const [, anchor] of text.matchAll(/\]\(#([^)]*)\)/g)) expect(headings).toContain(anchor)
  })
})
