import { type HttpDeps, send } from '../keystone/api.ts'
import { isUnreachable, type Unavailable, unavailable } from '../keystone/unavailable.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** Asks `BASIC_AUTH_URL` for its status, with or without credentials (RFC 7617). Never rejects; ends at `deadlineMs`. */
export type AskBasic = (credentials: string | undefined, deadlineMs: number) => Promise<Result<number, Unavailable>>

export function createAskBasic(deps: HttpDeps): AskBasic {
  return function askBasic(credentials, deadlineMs) {
    const headers = credentials === undefined ? {} : { Authorization: `Basic ${btoa(credentials)}` }
    return send(deps, { headers }, deadlineMs, async ({ status, body }) => {
      await body?.cancel()
      return status >= 500 ? err(unavailable('status', status)) : ok(status)
    })
  }
}

/** Whether the service, or what stands in front of it, answers: the probe of the breaker. */
export async function isBasicAnswering(ask: AskBasic, deadlineMs: number): Promise<boolean> {
  const answer = await ask(undefined, deadlineMs)
  return answer.ok || !isUnreachable(answer.error)
}
