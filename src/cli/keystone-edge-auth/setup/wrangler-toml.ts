/** The value of a var in `[vars]` of wrangler.toml; `undefined` where it is not set there by one quoted string. */
export function readVar(toml: string, name: string): string | undefined {
  const line = varsOf(toml).lines.find((one) => isAssignment(one, name))
  return line === undefined ? undefined : /=\s*"([^"\\]*)"/.exec(line)?.[1]
}

/**
 * The same file with a var set in `[vars]`: its line is replaced, else the comment that shows its default, else a line is
 * added. All other lines stay as they are.
 */
export function setVar(toml: string, name: string, value: string): string {
  const { before, lines, after } = varsOf(toml)
  // Ids and URLs need no escape that TOML and JSON spell differently.
  const line = `${name} = ${JSON.stringify(value)}`
  const at = [
    lines.findIndex((one) => isAssignment(one, name)),
    lines.findIndex((one) => isAssignment(one.replace(/^\s*#\s?/, ''), name)),
  ].find((index) => index !== -1)
  const changed = at === undefined ? [line, ...lines] : lines.map((one, index) => (index === at ? line : one))
  return [
    ...(before ?? [...(toml === '' ? [] : toml.replace(/\n$/, '').split('\n')), '', '[vars]']),
    ...changed,
    ...after,
  ].join('\n')
}

interface Section {
  /** The lines up to `[vars]`; `undefined` where there is no such table. */
  readonly before: readonly string[] | undefined
  readonly lines: readonly string[]
  readonly after: readonly string[]
}

function varsOf(toml: string): Section {
  const all = toml.split('\n')
  const start = all.findIndex((line) => /^\s*\[vars\]\s*(?:#.*)?$/.test(line))
  if (start === -1) return { before: undefined, lines: [], after: [''] }
  const rest = all.slice(start + 1)
  const length = rest.findIndex((line) => /^\s*\[/.test(line))
  const end = length === -1 ? rest.length : length
  return { before: all.slice(0, start + 1), lines: rest.slice(0, end), after: rest.slice(end) }
}

function isAssignment(line: string, name: string): boolean {
  return new RegExp(`^\\s*"?${name}"?\\s*=`).test(line)
}
