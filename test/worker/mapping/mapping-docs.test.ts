import { describe, expect, it } from 'vitest'
import text from '../../../docs/mapping.md?raw'
import { parseDocumentText } from '../../../src/documents/document-text.ts'
import { parseMapping } from '../../../src/mapping/parse-mapping.ts'

/** The mappings of the page, each with the line on which it begins. */
const documents = [...text.matchAll(/^ *```json mapping\n([\s\S]*?)^ *```$/gm)].map(({ 1: document = '', index }) => ({
  document,
  line: text.slice(0, index).split('\n').length + 1,
}))

describe('docs/mapping.md', () => {
  it('has mappings', () => expect(documents.length).toBeGreaterThan(9))

  for (const { document, line } of documents) {
    it(`line ${line}: a mapping that holds, with examples`, () => {
      const parsed = parseDocumentText(document)
      const value = parsed.ok ? parsed.value : parsed.error
      expect(value).toHaveProperty('examples.0')
      const mapping = parseMapping(value, { digest: 'docs', homeDomain: 'default' })
      expect(mapping.ok ? [] : mapping.error).toEqual([])
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
