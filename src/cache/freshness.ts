import type { ValidatedIdentity } from './identity-store.ts'

/** How long an identity counts, in milliseconds from its validation. */
export interface FreshnessLimits {
  /** `IDENTITY_TTL_SECONDS`: served without asking Keystone again. */
  readonly ttlMs: number
  /** `IDENTITY_TTL_SECONDS` and `STALE_IF_ERROR_SECONDS` together: served while Keystone is unreachable. */
  readonly staleUntilMs: number
}

/**
 * `fresh`: serve it. `refresh`: serve it, and ask Keystone again behind the answer. `stale`: serve it only while
 * Keystone is unreachable. `expired`: the token itself has ended. `unusable`: ask Keystone.
 */
export type Freshness = 'fresh' | 'refresh' | 'stale' | 'expired' | 'unusable'

/** The clock of another location may run ahead of this one by so much. */
const MAX_SKEW_MS = 5_000
/** From this part of its TTL on, an identity in use is refreshed behind the answer. */
const REFRESH_AFTER = 2 / 3

/** What may be done with a cached identity now. `needsGroups`: the mapping reads groups, and the identity has none. */
export function freshnessOf(
  { identity, validatedAtMs }: ValidatedIdentity,
  needsGroups: boolean,
  { ttlMs, staleUntilMs }: FreshnessLimits,
  nowMs: number,
): Freshness {
  if (nowMs >= identity.expiresAtMs) return 'expired'
  const ageMs = nowMs - validatedAtMs
  if (ageMs < -MAX_SKEW_MS || needsGroups) return 'unusable'
  if (ageMs < ttlMs) return ageMs < REFRESH_AFTER * ttlMs ? 'fresh' : 'refresh'
  return ageMs < staleUntilMs ? 'stale' : 'unusable'
}
