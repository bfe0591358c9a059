/** Where a text stops being JSON. */
interface JsonSyntaxError {
  /** From 1; columns count UTF-16 units, as editors do. */
  readonly line: number
  readonly column: number
  /** What was expected there. Never what was there: that can be a secret. */
  readonly expected: string
}

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

/** Finds where a text that `JSON.parse` refuses stops being JSON. The engine's own message quotes the text. */
export function findSyntaxError(text: string): JsonSyntaxError {
  const open: ('{' | '[')[] = []
  let state: State = 'value'
  for (let at = 0; ; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const token: RegExpExecArray | null = TOKEN.exec(text)
    const next: State | undefined = token === null ? undefined : nextState(state, toKind(token), open)
    if (next === undefined) return { ...positionOf(text, skipSpace(text, at)), expected: EXPECTED[state] }
    state = next
  }
}

type Kind = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'scalar'

function toKind([, structure, string]: RegExpExecArray): Kind {
  return structure !== undefined ? (structure as Kind) : string !== undefined ? 'string' : 'scalar'
}

/** The state behind a token, or `undefined` where the token may not stand. `open` is kept up to date. */
function nextState(state: State, kind: Kind, open: ('{' | '[')[]): State | undefined {
  const behindValue = (): State => (open.length === 0 ? 'end' : open.at(-1) === '{' ? 'comma or }' : 'comma or ]')
  const close = (): State => {
    open.pop()
    return behindValue()
  }
  switch (state) {
    case 'key or }':
      return kind === '}' ? close() : kind === 'string' ? 'colon' : undefined
    case 'key':
      return kind === 'string' ? 'colon' : undefined
    case 'colon':
      return kind === ':' ? 'value' : undefined
    case 'comma or }':
      return kind === '}' ? close() : kind === ',' ? 'key' : undefined
    case 'comma or ]':
      return kind === ']' ? close() : kind === ',' ? 'value' : undefined
    case 'end':
      return undefined
    case 'value':
    case 'value or ]':
      if (kind === ']' && state === 'value or ]') return close()
      if (kind === 'string' || kind === 'scalar') return behindValue()
      if (kind !== '{' && kind !== '[') return undefined
      open.push(kind)
      return kind === '{' ? 'key or }' : 'value or ]'
  }
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.exec(text)
  return SPACE.lastIndex
}

function positionOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: at - lineStart + 1 }
}
