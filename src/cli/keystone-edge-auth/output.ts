import { styleText } from 'node:util'
import { escapeHiddenCharacters, hasHiddenCharacter } from '../../lib/hidden-characters.ts'
import type { CommandContext } from './context.ts'

/** Prints the one JSON value of `-o json`. */
export function printJson(context: CommandContext, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints lines on standard output. Names of users and files can hold anything, so that control characters are escaped. */
export function printLines(context: CommandContext, lines: readonly string[]): void {
  if (lines.length > 0) context.process.stdout.write(`${makeVisible(lines.join('\n'), context.colours.stdout)}\n`)
}

/** Says something beside the data, on standard error. */
export function note(context: CommandContext, text: string): void {
  context.process.stderr.write(`${makeVisible(text, context.colours.stderr)}\n`)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of createPaint, and line breaks
const COLOURS = /(\u001b\[(?:2|22|3[1239])m|\n)/

/** The text with hidden characters as escapes, but for line breaks and, where they are shown, the colours of commands. */
export function makeVisible(text: string, colours: boolean): string {
  if (!hasHiddenCharacter(text)) return text
  return text
    .split(colours ? COLOURS : /(\n)/)
    .map((part, index) => (index % 2 === 1 ? part : escapeHiddenCharacters(part)))
    .join('')
}

type Style = Parameters<typeof styleText>[0]

/** Colours for standard output, where it takes them. */
export function createPaint(context: CommandContext): (style: Style, text: string) => string {
  return (style, text) => (context.colours.stdout ? styleText(style, text) : text)
}
