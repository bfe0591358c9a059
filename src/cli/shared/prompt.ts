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
  stderr.write(question)
  const lines = createInterface({ input: stdin, output: hidden ? silent : stderr, terminal: true, historySize: 0 })
  // Readline redraws its own prompt with the line that is edited.
  if (!hidden) lines.setPrompt(question)
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      lines.removeAllListeners('close')
      lines.close()
      if (hidden) stderr.write('\n')
      settle()
    }
    lines.once('line', (line) => end(() => resolve(line)))
    lines.once('SIGINT', () => end(() => reject(new UsageError('the log-in was cancelled'))))
    lines.once('close', () => end(() => reject(new UsageError('the input ended before it was answered'))))
  })
}
