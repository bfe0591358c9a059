import { proposeCompletions, run } from '@stricli/core'
import { application } from './application.ts'
import { EXIT } from './command-error.ts'
import { createContext } from './context.ts'

/** Whoever closes the pipe (`| head`) has seen enough. */
process.stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit(EXIT.done)
  throw error
})

const context = createContext(process)
const [first, ...rest] = process.argv.slice(2)
if (first === '__complete') complete(rest)
else
  run(application, process.argv.slice(2), context).then(() => {
    process.exitCode = toExitCode(Number(context.process.exitCode ?? EXIT.done))
  })

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
