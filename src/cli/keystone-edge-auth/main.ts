import { proposeCompletions, run } from '@stricli/core'
import { application } from './application.ts'
import { EXIT } from './command-error.ts'
import { createContext } from './context.ts'
import { asksForJson, watchOutput } from './json-outcome.ts'

process.stdout.on('error', (error) => {
  const code = 'code' in error ? String(error.code) : 'an unknown error'
  // Whoever closes the pipe (`| head`) has seen enough.
  if (code === 'EPIPE') process.exit(EXIT.done)
  process.stderr.write(`error: standard output cannot be written: ${code}\n`)
  process.exit(EXIT.unreachable)
})

// `explain --live` is `explain live`.
const words = process.argv
  .slice(2)
  .map((word, index, { 1: command }) => (index > 1 && command === 'explain' && word === '--live' ? 'live' : word))
const plain = createContext(process)
const printed = watchOutput(plain.process)
const context = { ...plain, process: printed.process }
const [first, ...rest] = words
if (first === '__complete') complete(rest)
else {
  process.on('beforeExit', endUnanswered)
  run(application, words, context).then(() => {
    process.off('beforeExit', endUnanswered)
    const code = toExitCode(Number(context.process.exitCode ?? EXIT.done))
    if (code !== EXIT.done && asksForJson(words)) printed.completeJson()
    process.exitCode = code
  })
}

/** Nothing is left to wait for and the command has not ended: its question has no answer, as Ctrl-D ended the input. */
function endUnanswered(): void {
  const showCursor = process.stderr.isTTY ? '\u001b[?25h' : ''
  process.stderr.write(`${showCursor}error: the input ended before the question was answered\n`)
  process.exit(EXIT.fault)
}

/** What may follow the words, for the scripts that `completion` prints. */
async function complete(words: readonly string[]): Promise<void> {
  const found = await proposeCompletions(application, words, context)
  process.stdout.write(found.map(({ completion }) => `${completion}\n`).join(''))
}

/** The library's own codes are negative: an unknown command or argument is wrong usage, anything else a bug. */
function toExitCode(code: number): number {
  if (code >= 0) return code
  return code === -4 || code === -5 ? EXIT.usage : EXIT.fault
}
