import type { Fetch } from '../keystone/api.ts'
import { isUnreachable, type Unavailable, unavailable } from '../keystone/unavailable.ts'
import { type Clock, createTimeLimit } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** Asks the URL for its status, with or without credentials (RFC 7617). Never rejects; ends at `deadlineMs`. */
export type AskBasic = (
  credentials: string | undefined,
  deadlineMs: number,
) => Promise<Result<{ readonly status: number }, Unavailable>>

interface BasicApiDeps {
  readonly fetch: Fetch
  /** `BASIC_AUTH_URL`. */
  readonly url: string
  readonly timeoutMs: number
  readonly userAgent: string
  readonly clock: Clock
}

/** Redirects are not followed, because that would send the password to another host. Bodies are not read. */
export function createAskBasic({ fetch, url, timeoutMs, userAgent, clock }: BasicApiDeps): AskBasic {
  return async function askBasic(credentials, deadlineMs) {
    const nowMs = clock.now()
    if (nowMs >= deadlineMs) return err(unavailable('timeout'))
    const limit = createTimeLimit(clock, Math.min(deadlineMs, nowMs + timeoutMs))
    const authorization = credentials === undefined ? {} : { Authorization: `Basic ${btoa(credentials)}` }
    const init: RequestInit = {
      headers: { ...authorization, 'User-Agent': userAgent },
      redirect: 'manual',
      cache: 'no-store',
      signal: limit.signal,
    }
    try {
      return await limit.race(fetch(url, init).then(readStatus), () => err(unavailable('timeout')))
    } catch {
      // Without the platform's message, which can hold the value of a header.
      return err(unavailable(limit.signal.aborted ? 'timeout' : 'network'))
    } finally {
      limit.clear()
    }
  }
}

/** Whether the service, or what stands in front of it, answers: the probe of the breaker. */
export async function isBasicAnswering(ask: AskBasic, deadlineMs: number): Promise<boolean> {
  const answer = await ask(undefined, deadlineMs)
  return answer.ok || !isUnreachable(answer.error)
}

async function readStatus(response: Response): Promise<Result<{ readonly status: number }, Unavailable>> {
  await response.body?.cancel()
  const { status } = response
  if (status >= 300 && status < 400) return err(unavailable('redirect', status))
  return status >= 500 ? err(unavailable('status', status)) : ok({ status })
}
