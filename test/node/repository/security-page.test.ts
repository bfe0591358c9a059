import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
/** Without comments, which may name tests that are still to be written. */
const page = readFileSync(resolve(ROOT, 'SECURITY.md'), 'utf8').replaceAll(/<!--.*?-->/gs, '')

/** What the page cites: `test/file`: “name”, “another name”. */
const CITED = /`(test\/[^`]+)`: (“[^”]+”(?:, “[^”]+”)*)/g
/** The name of a test as its file writes it: the first argument of it(), test(), t.Run() or what each() returns. */
const NAMED = /(?:\b(?:it|test|Run)|\))\(\s*(['"`])((?:\\.|(?!\1).)+)\1\s*,/g
/** A top-level test of Go. */
const NAMED_IN_GO = /^func (Test\w+)\(/gm
/** A row may say instead that nothing in this repository can hold it. */
const UNHELD = 'Not held here'

function citedIn(text: string): { file: string; name: string }[] {
  return [...text.matchAll(CITED)].flatMap(({ 1: file = '', 2: names = '' }) =>
    [...names.matchAll(/“([^”]+)”/g)].map(({ 1: name = '' }) => ({ file, name })),
  )
}

function namesIn(file: string): Set<string> {
  const text = readFileSync(resolve(ROOT, file), 'utf8')
  const names = [...text.matchAll(NAMED)].map(({ 2: name = '' }) => name.replaceAll(/\\(['"`])/g, '$1'))
  return new Set([...names, ...[...text.matchAll(NAMED_IN_GO)].map(({ 1: name = '' }) => name)])
}

/** The body rows of the tables that end in the column "Held by". */
function threatRows(): string[] {
  return page.split(/\n{2,}/).flatMap((block) => {
    const [header = '', , ...rows] = block.split('\n')
    return /\| Held by +\|$/.test(header) ? rows.filter((row) => row.startsWith('|')) : []
  })
}

describe('SECURITY.md', () => {
  it('cites tests that are there, by file and name', () => {
    const cited = citedIn(page)
    const missing = cited.filter(({ file, name }) => !existsSync(resolve(ROOT, file)) || !namesIn(file).has(name))
    expect(missing).toEqual([])
    expect(cited.length).toBeGreaterThan(30)
  })

  it('names for each threat the test that holds it, or says that none can', () => {
    const rows = threatRows()
    expect(rows.filter((row) => citedIn(row).length === 0 && !row.includes(UNHELD))).toEqual([])
    expect(rows.length).toBeGreaterThan(20)
  })

  it('cites in one way only, so that no citation escapes these tests', () => {
    const files = threatRows().flatMap((row) => row.match(/`test\/[^`]+`/g) ?? [])
    const cited = threatRows().flatMap((row) => [...row.matchAll(CITED)])
    expect(cited).toHaveLength(files.length)
  })
})
