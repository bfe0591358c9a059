import text from '../../../docs/revocation.md?raw'

/** The columns of figures in docs/revocation.md. */
export const COLUMNS = ['defaults', 'cache-ttl=30s', 'shortest'] as const
export type Column = (typeof COLUMNS)[number]
type Figures = Readonly<Record<Column, number>>

/** An act as it is documented: the terms that its worst latency is the sum of, and the sum in seconds. */
interface DocumentedAct {
  readonly terms: readonly string[]
  readonly worst: Figures
}

/** Seconds of each term. */
const TERMS: ReadonlyMap<string, Figures> = new Map(
  tableOf('term').map((row) => [cell(row, 'term').replaceAll('`', ''), figuresOf(row)]),
)

/** By what the table calls it. */
export const ACTS: ReadonlyMap<string, DocumentedAct> = new Map(
  tableOf('act').map((row) => {
    const terms = cell(row, 'worst latency').split(' + ')
    return [cell(row, 'act'), { terms: terms.map((term) => term.replaceAll('`', '')), worst: figuresOf(row) }]
  }),
)

/** Seconds of a term. @throws Error when the page has no such term */
export function secondsOf(term: string, column: Column): number {
  const figures = TERMS.get(term)
  if (figures === undefined) throw new Error(`docs/revocation.md has no term ${term}`)
  return figures[column]
}

/** An act's entry. @throws Error when the page has none */
export function documentedAct(act: string): DocumentedAct {
  const documented = ACTS.get(act)
  if (documented === undefined) throw new Error(`docs/revocation.md has no act ${act}`)
  return documented
}

type Row = ReadonlyMap<string, string>

/** The table whose first heading is `first`, row by row, by heading. */
function tableOf(first: string): Row[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => new RegExp(`^\\| ${first} +\\|`).test(line))
  if (start === -1) throw new Error(`docs/revocation.md has no table that begins with ${first}`)
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  const [headings = [], , ...rows] = lines.slice(start, end).map(cellsOf)
  return rows.map((cells) => new Map(headings.map((heading, index) => [heading, cells[index] ?? ''])))
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((text) => text.trim())
}

function cell(row: Row, heading: string): string {
  const text = row.get(heading)
  if (text === undefined || text === '') throw new Error(`docs/revocation.md lacks ${heading} in a row`)
  return text
}

function figuresOf(row: Row): Figures {
  const figure = (column: Column): number => {
    const text = cell(row, column)
    if (!/^\d+$/.test(text)) throw new Error(`docs/revocation.md: ${text} are no seconds`)
    return Number(text)
  }
  return { defaults: figure('defaults'), 'cache-ttl=30s': figure('cache-ttl=30s'), shortest: figure('shortest') }
}
