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
/** A threat may say instead that no test of this repository can hold it. */
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

/** The threats: each heading of the third level, with the text up to the next heading. */
const threats = page
  .split(/^(?=#+ )/m)
  .filter((section) => section.startsWith('### '))
  .map((section) => ({ title: section.split('\n')[0], section }))

describe('SECURITY.md', () => {
  it('cites only tests that exist, by file and name', () => {
    const cited = citedIn(page)
    const missing = cited.filter(({ file, name }) => !existsSync(resolve(ROOT, file)) || !namesIn(file).has(name))
    expect(missing).toEqual([])
    expect(cited.length).toBeGreaterThan(30)
  })

  it('cites for each threat the test that holds it, or says that none can', () => {
    const unheld = threats.filter(({ section }) => citedIn(section).length === 0 && !section.includes(UNHELD))
    expect(unheld.map(({ title }) => title)).toEqual([])
    expect(threats.length).toBeGreaterThan(40)
  })

  it('gives every threat a heading of the third level, below a heading that names the attacker', () => {
    const attackers = page.split(/^## /m).filter((part) => part.startsWith('Attackers '))
    const outside = page.split(/^## /m).filter((part) => !part.startsWith('Attackers ') && part.includes('\n### '))
    expect(outside).toEqual([])
    expect(attackers.filter((part) => !part.includes('\n### '))).toEqual([])
    expect(attackers.length).toBeGreaterThan(7)
  })

  it('cites in one way only, so that no citation escapes these tests', () => {
    const files = threats.flatMap(({ section }) => section.match(/`test\/[^`]+`/g) ?? [])
    const cited = threats.flatMap(({ section }) => [...section.matchAll(CITED)])
    expect(cited).toHaveLength(files.length)
  })
})
