import { styleText } from 'node:util'
import type { CommandContext } from './context.ts'

/** Prints the one JSON value of `-o json`. */
export function printJson(context: CommandContext, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints lines on standard output. */
export function printLines(context: CommandContext, lines: readonly string[]): void {
  if (lines.length > 0) context.process.stdout.write(`${lines.join('\n')}\n`)
}

/** Says something beside the data, on standard error. */
export function note(context: CommandContext, text: string): void {
  context.process.stderr.write(`${text}\n`)
}

type Style = Parameters<typeof styleText>[0]

/** Colours for standard output, where it takes them. */
export function createPaint(context: CommandContext): (style: Style, text: string) => string {
  return (style, text) => (context.colours.stdout ? styleText(style, text) : text)
}
