import { describe, expect, it } from 'vitest'
import text from '../../../docs/reliability.md?raw'
import { describeCell, KEYSTONE, KV_ALONE, KV_AND_KEYSTONE, type Row, STATES } from './matrix.ts'

// docs/reliability.md says what the tests run. When this fails, the expected rows are what the page has to say.

describe('docs/reliability.md', () => {
  it.each([
    ['Keystone fails and KV works', 'Keystone', KEYSTONE],
    ['KV fails and Keystone works', 'KV', KV_ALONE],
    ['KV fails and Keystone refuses connections', 'KV', KV_AND_KEYSTONE],
  ] as const)('%s: the table is the one that is run', (heading, subject, rows) => {
    expect(tableUnder(heading)).toEqual(render(subject, rows))
  })

  it('names every state of the matrix', () => {
    const explained = tableUnder('Fault matrix').map((row) => row.split(' | ')[0])
    expect(explained.slice(2)).toEqual(STATES)
  })

  it('links to headings that are there', () => {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    )
    const anchors = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(({ 1: anchor }) => anchor)
    expect(anchors.length).toBeGreaterThan(5)
    expect(headings).toEqual(expect.arrayContaining(anchors))
  })
})

function render(subject: string, rows: Readonly<Record<string, Row>>): string[] {
  const head = [subject, ...STATES]
  const body = Object.entries(rows).map(([fault, row]) => [fault, ...row.map(describeCell)])
  return [head, head.map(() => '-'), ...body].map((cells) => cells.join(' | '))
}

/** The rows of the first table under a heading, without padding. */
function tableUnder(heading: string): string[] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^\|(.*)\|$/gm)].map(({ 1: row = '' }) =>
    row
      .split('|')
      .map((cell) => cell.trim().replace(/^-+$/, '-'))
      .join(' | '),
  )
}
