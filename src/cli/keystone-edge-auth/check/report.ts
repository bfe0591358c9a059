import { escapeHiddenCharacters } from '../../../lib/hidden-characters.ts'
import type { CommandContext } from '../context.ts'
import { createPaint } from '../output.ts'
import type { LocatedFault, Source } from '../source/source.ts'
import type { DocumentKind } from './document-kind.ts'
import type { FileReport } from './inspect.ts'

/** A person reads this many; programs get all. */
const MAX_SHOWN = 100
const MAX_COLUMNS = 100
const MIN_COLUMNS = 20
/** The line's number, the bar, and the marks of what is left out. */
const GUTTER = 10

/** A report for people: `file:line:column: error: path: message` with the line, then a summary. */
export function formatReport(
  context: CommandContext,
  kind: DocumentKind,
  { file: name, faults, warnings }: FileReport,
  source: Source | undefined,
): string[] {
  const paint = createPaint(context)
  const file = escapeHiddenCharacters(name)
  const columns = columnsOf(context)
  const lines = source?.text.split('\n') ?? []
  const format = (level: 'error' | 'warning', found: LocatedFault): string[] => {
    const head = `${file}:${found.line}:${found.column}: `
    const what = `${found.path === '' ? '' : `${found.path}: `}${found.message}`
    const text = `${head}${paint(level === 'error' ? 'red' : 'yellow', `${level}:`)} ${escapeHiddenCharacters(what)}`
    return [
      text,
      ...excerpt(lines[found.line - 1], found, { columns, hidden: hidesValues(kind) }).map((line) =>
        paint('dim', line),
      ),
    ]
  }
  const shown = [
    ...faults.slice(0, MAX_SHOWN).flatMap((one) => format('error', one)),
    ...warnings.slice(0, MAX_SHOWN).flatMap((one) => format('warning', one)),
  ]
  const left = Math.max(0, faults.length - MAX_SHOWN) + Math.max(0, warnings.length - MAX_SHOWN)
  return [
    ...shown,
    ...(left > 0 ? [`${file}: and ${left} more; -o json has all`] : []),
    `${file}: ${faults.length === 0 ? paint('green', 'no faults') : count(faults.length, 'fault')}, ${count(warnings.length, 'warning')}`,
  ]
}

/** How much of a line fits on the terminal behind its number, with a mark for what is left out on either side. */
function columnsOf({ process: { stdout } }: CommandContext): number {
  const width = 'columns' in stdout && typeof stdout.columns === 'number' ? stdout.columns : MAX_COLUMNS + GUTTER
  return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, width - GUTTER))
}

/** These documents are where somebody puts a credential itself in place of its digest. */
function hidesValues(kind: DocumentKind): boolean {
  return kind === 'authenticators' || kind === 'callers'
}

function count(number: number, what: string): string {
  return `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`
}

/** The line, or as much of it around the column as fits, with a mark below the column. */
function excerpt(
  line: string | undefined,
  { line: number, column }: LocatedFault,
  { columns, hidden }: { readonly columns: number; readonly hidden: boolean },
): string[] {
  if (line === undefined || line.trim() === '') return []
  const text = (hidden ? maskValues(line) : line).replace(/[\t\r]/g, ' ')
  const from = Math.max(0, Math.min(column - 1 - Math.floor(columns / 2), text.length - columns))
  const part = text.slice(from, from + columns)
  const gutter = String(number).padStart(5)
  const shown = `${gutter} | ${from > 0 ? '…' : ''}${escapeHiddenCharacters(part)}${from + columns < text.length ? '…' : ''}`
  const before = escapeHiddenCharacters(part.slice(0, column - 1 - from)).length + (from > 0 ? 1 : 0)
  return [shown, `${' '.repeat(5)} | ${' '.repeat(before)}^`]
}

/** What a line of these documents may show; everything else can be part of a credential. */
const SHOWN = new Set(
  '- $schema static token username uid groups expires basic users system-groups credentials own'.split(' '),
)

/** The line with stars for whatever is neither a key nor punctuation, so that columns stay. */
function maskValues(line: string): string {
  return line.replace(/[^\s"',:[\]{}]+/g, (word) => (SHOWN.has(word) ? word : '*'.repeat(word.length)))
}
