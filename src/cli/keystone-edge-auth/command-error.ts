/** The exit codes of the contract. */
export const EXIT = {
  /** Done, or nothing to do. */
  done: 0,
  /** A fault in a document, or a difference found. */
  fault: 1,
  /** Wrong usage: an argument, or a file that an argument names. */
  usage: 2,
  /** Something that the command needs cannot be reached. */
  unreachable: 3,
} as const

/** Ends a command: what is wrong and where, and what to do about it. Never holds a secret. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number
  readonly hint: string | undefined

  constructor(exitCode: number, message: string, hint?: string) {
    super(message)
    this.exitCode = exitCode
    this.hint = hint
  }
}

/** By name: code that the bundle compiles later has a class of its own. */
export function isCommandError(error: unknown): error is CommandError {
  return error instanceof Error && error.name === 'CommandError'
}

/** The command was called in a way that cannot work. */
export function usageError(message: string, hint?: string): CommandError {
  return new CommandError(EXIT.usage, message, hint)
}
