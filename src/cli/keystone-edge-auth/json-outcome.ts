import type { StricliProcess } from '@stricli/core'

/** Whether the words of a command line ask for JSON. */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  const flags = end === -1 ? words : words.slice(0, end)
  return flags.some(
    (word, index) =>
      /^(?:-o|--output)=json$/.test(word) || (/^(?:-o|--output)$/.test(word) && flags[index + 1] === 'json'),
  )
}

/** What a command printed, where `-o json` promises one value on standard output whatever happens. */
interface PrintedOutput {
  readonly process: StricliProcess
  /** Prints `{"error", "hint"}` of the errors on standard error, unless the command printed a value. */
  completeJson(): void
}

/** Watches what a command prints. Errors begin with `error: `, and their hints with `hint: ` on the next line. */
export function watchOutput(plain: StricliProcess): PrintedOutput {
  const errors: string[] = []
  let hasPrinted = false
  // The stream itself is the prototype: its width and its other properties stay.
  const stdout: StricliProcess['stdout'] = Object.assign(Object.create(plain.stdout), {
    write(text: string) {
      hasPrinted = true
      plain.stdout.write(text)
    },
  })
  const stderr: StricliProcess['stderr'] = Object.assign(Object.create(plain.stderr), {
    write(text: string) {
      if (text.startsWith('error: ')) errors.push(text)
      plain.stderr.write(text)
    },
  })
  return {
    process: { ...plain, stdout, stderr },
    completeJson() {
      if (hasPrinted) return
      const lines = errors.join('').trimEnd().split('\n')
      const take = (label: string): string[] =>
        lines.filter((line) => line.startsWith(label)).map((line) => line.slice(label.length))
      const hints = [...new Set(take('hint: '))]
      const value = { error: take('error: ').join('; '), ...(hints.length > 0 && { hint: hints.join('; ') }) }
      plain.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
  }
}
