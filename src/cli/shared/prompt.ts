import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { UsageError } from './usage-error.ts'

/**
 * Asks one question on standard error and reads the answer from the terminal; what is typed for a secret is not shown.
 * @throws UsageError when the user ends the input (Ctrl-C, Ctrl-D)
 */
export function promptUser(question: string, { hidden }: { readonly hidden: boolean }): Promise<string> {
  const { stdin, stderr } = process
  // Readline echoes to its output: while a secret is typed, that output drops everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: hidden ? silent : stderr, terminal: true, historySize: 0 })
  // Only now does the terminal echo nothing by itself. Readline redraws its own prompt with the line that is edited.
  lines.setPrompt(question)
  if (hidden) stderr.write(question)
  else lines.prompt()
  return new Promise((resolve, reject) => {
    // Each of these ends the interface; a promise that is settled stays so.
    lines.once('close', () => {
      if (hidden) stderr.write('\n')
      reject(new UsageError('the input ended before it was answered'))
    })
    lines.once('SIGINT', () => {
      reject(new UsageError('the log-in was cancelled'))
      lines.close()
    })
    lines.once('line', (line) => {
      resolve(line)
      lines.close()
    })
  })
}
