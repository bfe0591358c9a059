/** What the user has to change: one sentence (or a few lines) for standard error, without a secret. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** By name: code that a bundle compiles later has a class of its own. */
export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && error.name === 'UsageError'
}
