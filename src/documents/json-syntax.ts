import { type Fault, toPath } from '../lib/fault.ts'

/** What `JSON.parse` does not tell of a text. */
interface JsonScan {
  /** Where the text stops being JSON (from 1; columns count UTF-16 units, as editors do), and what was expected there. */
  readonly syntaxError: { readonly line: number; readonly column: number; readonly expected: string } | undefined
  /** Keys that are there twice, `__proto__`, or nesting without end. */
  readonly faults: readonly Fault[]
}

const MAX_DEPTH = 32

/** One token of JSON (RFC 8259) behind white space: a structural character, a string, or another value. */
const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y
const SPACE = /[ \t\r\n]*/y

/** What may stand next, in the words of the message. */
const EXPECTED = {
  value: 'a value',
  'value or ]': 'a value or ]',
  'key or }': 'a key in double quotes or }',
  key: 'a key in double quotes',
  colon: 'a colon',
  'comma or ]': 'a comma or ]',
  'comma or }': 'a comma or }',
  end: 'the end',
} as const
type State = keyof typeof EXPECTED

/** An object with its keys so far, or a list; `at` is where in it the scan is. */
type Level = { readonly keys: Set<string>; at: string } | { readonly keys: undefined; at: number }

/** Looks for what `JSON.parse` does not tell. Unlike the engine's message it never quotes the text, which can hold a secret. */
export function scanJson(text: string): JsonScan {
  const levels: Level[] = []
  const faults: Fault[] = []
  let state: State = 'value'
  for (let at = 0; ; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const token: RegExpExecArray | null = TOKEN.exec(text)
    const next: State | undefined = token === null ? undefined : nextState(state, token, levels, faults)
    if (next === undefined) return { syntaxError: findEnd(text, at, state), faults }
    if (levels.length > MAX_DEPTH) {
      const message = `is nested deeper than ${MAX_DEPTH} levels`
      return { syntaxError: undefined, faults: [{ path: '', message }] }
    }
    state = next
  }
}

/** The state behind a token, or `undefined` where the token may not stand. Levels and faults are kept up to date. */
function nextState(state: State, token: RegExpExecArray, levels: Level[], faults: Fault[]): State | undefined {
  const [, structure, string] = token
  const level = levels.at(-1)
  const behindValue = (): State =>
    levels.length === 0 ? 'end' : levels.at(-1)?.keys === undefined ? 'comma or ]' : 'comma or }'
  const close = (): State => {
    levels.pop()
    return behindValue()
  }
  switch (state) {
    case 'key or }':
    case 'key':
      if (structure === '}' && state === 'key or }') return close()
      if (string === undefined) return undefined
      enterKey(String(JSON.parse(string)), levels, faults)
      return 'colon'
    case 'colon':
      return structure === ':' ? 'value' : undefined
    case 'comma or }':
      return structure === '}' ? close() : structure === ',' ? 'key' : undefined
    case 'comma or ]':
      if (structure === ',' && level !== undefined && level.keys === undefined) level.at += 1
      return structure === ']' ? close() : structure === ',' ? 'value' : undefined
    case 'end':
      return undefined
    case 'value':
    case 'value or ]':
      if (structure === undefined) return behindValue()
      if (structure === ']' && state === 'value or ]') return close()
      if (structure !== '{' && structure !== '[') return undefined
      levels.push(structure === '{' ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 })
      return structure === '{' ? 'key or }' : 'value or ]'
  }
}

function enterKey(key: string, levels: readonly Level[], faults: Fault[]): void {
  const level = levels.at(-1)
  if (level?.keys === undefined) return
  level.at = key
  const message = key === '__proto__' ? 'is not a key here' : level.keys.has(key) ? 'is there twice' : undefined
  if (message !== undefined) faults.push({ path: toPath(levels.map(({ at }) => at)), message })
  level.keys.add(key)
}

/** What is wrong where no token can stand; `undefined` at the end of a whole text. */
function findEnd(text: string, at: number, state: State): JsonScan['syntaxError'] {
  SPACE.lastIndex = at
  SPACE.exec(text)
  const end = SPACE.lastIndex
  if (state === 'end' && end === text.length) return undefined
  const before = text.slice(0, end)
  return { line: before.split('\n').length, column: end - before.lastIndexOf('\n'), expected: EXPECTED[state] }
}
