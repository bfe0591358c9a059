import { badRequest } from './errors.ts'

/** Seconds since the epoch as tokens and trusts write them: `2026-11-22T13:04:59.000000Z`. */
export function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.000000Z`
}

/** Milliseconds as application credentials write them: six digits of fraction and no zone. */
export function formatLocalTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000`
}

/**
 * An `expires_at` from a request, in milliseconds; a time without a zone is UTC.
 * @throws KeystoneError 400 for what is no time, or not in the future.
 */
export function parseExpiry(value: string | null | undefined, now: number): number | null {
  if (value === null || value === undefined) return null
  const parsed = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(value) ? value : `${value}Z`)
  if (Number.isNaN(parsed)) throw badRequest('Timestamp not in expected format.')
  if (parsed < now) throw badRequest("The 'expires_at' must not be before now.")
  return parsed
}
