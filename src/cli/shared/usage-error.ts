/** What the user has to change: one sentence (or a few lines) for standard error, without a secret. */
export class UsageError extends Error {}
