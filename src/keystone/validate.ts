import { readBoundedText } from '../lib/bounded-text.ts'
import { createDeadline, type Deadline, type StartTimer } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { revealToken, type Token } from '../lib/secret.ts'
import type { Identity } from './identity.ts'
import { decodeGroupsAnswer, decodeTokenAnswer } from './token-answer.ts'
import { type Unavailable, unavailable } from './unavailable.ts'

/** Keystone's verdict that a token is none (`rejected`, `expired`), or one that cannot be honoured here (`access_rules`). */
export type Rejection = { reason: 'rejected' | 'expired' | 'access_rules' }

/** What one look-up found, with what it cost. */
export interface LookUp {
  readonly result: Result<Identity, Rejection | Unavailable>
  readonly calls: number
}

/** `fetch`, or that of the `KEYSTONE` binding. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface KeystoneClient {
  /**
   * Validates a token by itself (it is both `X-Auth-Token` and `X-Subject-Token`, so no service credential exists) and
   * reads its user's groups when `readsGroups` asks for them. Never throws; ends within `budgetMs`. Where the token's
   * signature names the user, `groupsOf` is their id, and both are asked at the same time.
   */
  lookUp(
    token: Token,
    readsGroups: (identity: Identity) => boolean,
    budgetMs: number,
    groupsOf?: string,
  ): Promise<LookUp>
  /** Whether Keystone answers at its root as the Identity API does. Sends no token. */
  isReachable(): Promise<boolean>
}

export interface KeystoneClientDeps {
  readonly fetch: Fetch
  /** Identity API v3 root, without a slash at its end. */
  readonly url: string
  /** One request, the reading of its answer included. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly now: () => number
  readonly startTimer: StartTimer
}

/** 10,000 groups are about 1.3 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

export function createKeystoneClient(deps: KeystoneClientDeps): KeystoneClient {
  return {
    async lookUp(token, readsGroups, budgetMs, groupsOf) {
      if (groupsOf !== undefined) return lookUpBoth(deps, token, readsGroups, { budgetMs, groupsOf })
      const endsAtMs = deps.now() + budgetMs
      const timeLeftMs = (): number => Math.min(deps.timeoutMs, endsAtMs - deps.now())
      const validated = await validate(deps, token, timeLeftMs())
      if (!validated.ok || validated.value.groups !== 'not_read' || !readsGroups(validated.value)) {
        return { result: validated, calls: 1 }
      }
      const groups = await readGroups(deps, token, validated.value.user.id, timeLeftMs())
      return { result: groups.ok ? ok({ ...validated.value, groups: groups.value }) : groups, calls: 2 }
    },
    async isReachable() {
      const answer = await get(deps, '', {}, deps.timeoutMs)
      return answer.ok && answer.value.status === 200 && isVersionDocument(answer.value.body)
    },
  }
}

/** The validation decides, whatever becomes of the groups: they are dropped unless it is for them that one waits. */
async function lookUpBoth(
  deps: KeystoneClientDeps,
  token: Token,
  readsGroups: (identity: Identity) => boolean,
  { budgetMs, groupsOf }: { readonly budgetMs: number; readonly groupsOf: string },
): Promise<LookUp> {
  const timeoutMs = Math.min(deps.timeoutMs, budgetMs)
  const validating = validate(deps, token, timeoutMs)
  const deadline = createDeadline(timeoutMs, deps.startTimer)
  const reading = readGroups(deps, token, groupsOf, timeoutMs, deadline)
  try {
    const validated = await validating
    if (!validated.ok) return { result: validated, calls: 2 }
    const identity = validated.value
    // Keystone signed another name than it answers with: nothing that it says of this token can be relied on.
    if (identity.user.id !== groupsOf) return { result: err(notKeystone(200)), calls: 2 }
    if (identity.groups !== 'not_read' || !readsGroups(identity)) return { result: validated, calls: 2 }
    const groups = await reading
    return { result: groups.ok ? ok({ ...identity, groups: groups.value }) : groups, calls: 2 }
  } finally {
    deadline.end()
  }
}

async function validate(
  deps: KeystoneClientDeps,
  token: Token,
  timeoutMs: number,
): Promise<Result<Identity, Rejection | Unavailable>> {
  const text = revealToken(token)
  const answer = await get(deps, '/auth/tokens?nocatalog', { 'X-Auth-Token': text, 'X-Subject-Token': text }, timeoutMs)
  if (!answer.ok) return answer
  const { status, subjectToken, body } = answer.value
  // A proxy's page has these codes as well: only Keystone's own error object is its verdict.
  if (status === 401 || status === 404)
    return err(isKeystoneError(body, status) ? { reason: 'rejected' } : notKeystone(status))
  if (status !== 200) return err(unavailable('status', status))
  if (subjectToken !== null && subjectToken !== text) return err(notKeystone(status))
  const identity = decodeTokenAnswer(body)
  if (!identity.ok) return err(identity.error === 'access_rules' ? { reason: 'access_rules' } : notKeystone(status))
  return identity.value.expiresAtMs <= deps.now() ? err({ reason: 'expired' }) : identity
}

async function readGroups(
  deps: KeystoneClientDeps,
  token: Token,
  userId: string,
  timeoutMs: number,
  deadline?: Deadline,
): Promise<Result<Identity['groups'], Unavailable>> {
  const path = `/users/${encodeURIComponent(userId)}/groups`
  const answer = await get(deps, path, { 'X-Auth-Token': revealToken(token) }, timeoutMs, deadline)
  if (!answer.ok) return answer
  const { status, body } = answer.value
  if (status === 403 || status === 404) return ok('refused')
  if (status !== 200) return err(unavailable('status', status))
  const groups = decodeGroupsAnswer(body)
  return groups === undefined ? err(notKeystone(status)) : ok(groups)
}

interface Answer {
  readonly status: number
  readonly subjectToken: string | null
  /** Parsed JSON, or `undefined` where it is none or no verdict depends on it. */
  readonly body: unknown
}

async function get(
  deps: KeystoneClientDeps,
  path: string,
  headers: Record<string, string>,
  timeoutMs: number,
  deadline: Deadline = createDeadline(timeoutMs, deps.startTimer),
): Promise<Result<Answer, Unavailable>> {
  const request = (): Promise<Response> =>
    deps.fetch(deps.url + path, {
      headers: { ...headers, Accept: 'application/json', 'User-Agent': deps.userAgent },
      // A followed redirect would hand both token headers to another host.
      redirect: 'manual',
      // Every validation has the same URL: an answer from any cache would be somebody else's.
      cache: 'no-store',
      signal: deadline.signal,
    })
  try {
    if (timeoutMs <= 0) return err(unavailable('timeout'))
    return await deadline.race(withOneRetry(request, deadline.signal).then(readAnswer), () =>
      err(unavailable('timeout')),
    )
  } catch {
    // The platform's message is dropped on purpose: it can hold the value of a header.
    return err(unavailable(deadline.signal.aborted ? 'timeout' : 'network'))
  } finally {
    deadline.clear()
  }
}

/**
 * A server that closes idle connections without saying so (uWSGI's `--http-socket` after every answer) loses the next
 * request on one of them. Nothing was answered and the request only reads, so it is sent once more, in the same time.
 */
async function withOneRetry(request: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  try {
    return await request()
  } catch (error) {
    if (signal.aborted) throw error
    return request()
  }
}

async function readAnswer(response: Response): Promise<Result<Answer, Unavailable>> {
  const { status } = response
  const subjectToken = response.headers.get('X-Subject-Token')
  if (status !== 200 && status !== 401 && status !== 404) {
    await response.body?.cancel()
    return status >= 300 && status < 400
      ? err(unavailable('redirect', status))
      : ok({ status, subjectToken, body: undefined })
  }
  const text = await readBoundedText(response, MAX_ANSWER_BYTES)
  if (!text.ok) return err(unavailable('too_large', status))
  return ok({ status, subjectToken, body: parseJson(text.value) })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isKeystoneError(body: unknown, status: number): boolean {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error && error.code === status
}

function isVersionDocument(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'version' in body
}

function notKeystone(status: number): Unavailable {
  return unavailable('malformed', status)
}
