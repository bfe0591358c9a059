import type { Clock } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { KeystoneApi } from './api.ts'
import type { Identity, KeystoneGroup } from './identity.ts'
import { type DecodedToken, decodeGroupsAnswer, decodeTokenAnswer } from './token-answer.ts'
import { isUnreachable, type Unavailable, unavailable } from './unavailable.ts'

/** Keystone's verdict that a token is none (`rejected`, `expired`), or one that cannot be honoured here (`access_rules`). */
export type Rejection = { readonly reason: 'rejected' | 'expired' | 'access_rules' }

/** What one look-up found, and how many requests it took. */
export interface LookUp<T = Identity> {
  readonly result: Result<T, Rejection | Unavailable>
  readonly calls: number
}

/**
 * Validates a token with itself: the token is both `X-Auth-Token` and `X-Subject-Token`, so that no service credential
 * exists. Then reads the user's groups, where `readsGroups` asks for them. Never rejects; ends at `deadlineMs`.
 */
export type LookUpToken = (
  token: Token,
  readsGroups: (identity: Identity) => boolean,
  deadlineMs: number,
) => Promise<LookUp>

export function createLookUpToken(api: KeystoneApi, { now }: Pick<Clock, 'now'>): LookUpToken {
  return async function lookUpToken(token, readsGroups, deadlineMs) {
    const validated = await validate(api, token, deadlineMs, now)
    if (!validated.ok) return { result: validated, calls: 1 }
    const { identity, federatedGroups } = validated.value
    if (!readsGroups(identity)) return { result: ok(identity), calls: 1 }
    const groups = await readGroups(api, token, identity.user.id, deadlineMs)
    if (!groups.ok) return { result: groups, calls: 2 }
    return { result: ok({ ...identity, groups: mergeGroups(groups.value, federatedGroups) }), calls: 2 }
  }
}

/** Whether KEYSTONE_URL leads to an Identity API v3 root; `reason` says why not. */
export type Reachability = { readonly reachable: true } | { readonly reachable: false; readonly reason: string }

/** Asks for the version document of the Identity API root. Sends no token. */
export async function reachKeystone(api: KeystoneApi, deadlineMs: number): Promise<Reachability> {
  const answer = await api({ path: '', deadlineMs })
  if (answer.ok && answer.value.status === 200 && isVersion3(answer.value.body)) return { reachable: true }
  const reason = isReached(answer) ? 'answers, but not as an Identity API v3 root' : 'unreachable'
  return { reachable: false, reason }
}

function isVersion3(body: unknown): boolean {
  return isObjectWith(body, 'version') && isObjectWith(body.version, 'id') && String(body.version.id).startsWith('v3')
}

/** Whether Keystone, or what stands in front of it, answers a request without a token: the probe of the breaker. */
export async function isAnswering(api: KeystoneApi, deadlineMs: number): Promise<boolean> {
  return isReached(await api({ path: '', deadlineMs }))
}

function isReached(answer: Awaited<ReturnType<KeystoneApi>>): boolean {
  return !isUnreachable(answer.ok ? unavailable('status', answer.value.status) : answer.error)
}

async function validate(
  api: KeystoneApi,
  token: Token,
  deadlineMs: number,
  now: () => number,
): Promise<Result<DecodedToken, Rejection | Unavailable>> {
  const text = revealToken(token)
  const headers = { 'X-Auth-Token': text, 'X-Subject-Token': text }
  const answer = await api({ path: '/auth/tokens?nocatalog', headers, deadlineMs })
  if (!answer.ok) return answer
  const { status, body } = answer.value
  // The page of a proxy has these codes as well: only Keystone's own error object is Keystone's verdict.
  if (status === 401 || status === 404)
    return err(isKeystoneError(body, status) ? { reason: 'rejected' } : notKeystone(status))
  if (status !== 200) return err(unavailable('status', status))
  const subject = answer.value.headers.get('X-Subject-Token')
  if (subject !== null && subject !== text) return err(notKeystone(status))
  const decoded = decodeTokenAnswer(body)
  if (!decoded.ok) return err(decoded.error === 'access_rules' ? { reason: 'access_rules' } : notKeystone(status))
  return decoded.value.identity.expiresAtMs <= now() ? err({ reason: 'expired' }) : decoded
}

async function readGroups(
  api: KeystoneApi,
  token: Token,
  userId: string,
  deadlineMs: number,
): Promise<Result<Identity['groups'], Unavailable>> {
  const path = `/users/${encodeURIComponent(userId)}/groups`
  const answer = await api({ path, headers: { 'X-Auth-Token': revealToken(token) }, deadlineMs })
  if (!answer.ok) return answer
  const { status, body } = answer.value
  if (status === 403 || status === 404) return ok('refused')
  if (status !== 200) return err(unavailable('status', status))
  const groups = decodeGroupsAnswer(body)
  return groups === undefined ? err(notKeystone(status)) : ok(groups)
}

/** Keystone lists permanent and expiring memberships, with names; a federated user's token lists ids of others as well. */
function mergeGroups(listed: Identity['groups'], federated: readonly KeystoneGroup[]): Identity['groups'] {
  if (!Array.isArray(listed)) return federated.length > 0 ? [...federated] : listed
  const ids = new Set(listed.map(({ id }) => id))
  return [...listed, ...federated.filter(({ id }) => !ids.has(id))]
}

function isKeystoneError(body: unknown, status: number): boolean {
  return isObjectWith(body, 'error') && isObjectWith(body.error, 'code') && body.error.code === status
}

function isObjectWith<K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  return typeof value === 'object' && value !== null && key in value
}

function notKeystone(status: number): Unavailable {
  return unavailable('malformed', status)
}
