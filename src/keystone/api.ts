import { readBoundedText } from '../lib/bounded-text.ts'
import { type Clock, createTimeLimit } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { type Unavailable, unavailable } from './unavailable.ts'

/** `fetch`, or that of the `KEYSTONE` binding. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** One request to the Identity API. */
interface KeystoneRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Behind the API root, with a slash at its start. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** In epoch milliseconds; the reading of the answer ends there too. */
  readonly deadlineMs: number
}

/** An answer of Keystone, or of what stands in front of it. */
interface KeystoneAnswer {
  readonly status: number
  readonly headers: Headers
  /** Parsed JSON; `undefined` where the body is no JSON, and for a status of 500 and more. */
  readonly body: unknown
}

/** Sends one request. Never rejects: what is no answer is `unavailable`. */
export type KeystoneApi = (request: KeystoneRequest) => Promise<Result<KeystoneAnswer, Unavailable>>

interface KeystoneApiDeps {
  readonly fetch: Fetch
  /** Identity API v3 root, without a slash at its end. */
  readonly url: string
  /** The longest that one request may take. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly clock: Clock
}

/** 10,000 groups are about 1.3 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/**
 * The client of the Identity API. Redirects are refused: following one would send the token headers to another host.
 * Answers are never cached: every validation has the same URL.
 */
export function createKeystoneApi({ fetch, url, timeoutMs, userAgent, clock }: KeystoneApiDeps): KeystoneApi {
  return async function requestKeystone({ method = 'GET', path, headers, body, deadlineMs }) {
    const nowMs = clock.now()
    if (nowMs >= deadlineMs) return err(unavailable('timeout'))
    const limit = createTimeLimit(clock, Math.min(deadlineMs, nowMs + timeoutMs))
    const init: RequestInit = {
      method,
      headers: {
        ...headers,
        Accept: 'application/json',
        'User-Agent': userAgent,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      cache: 'no-store',
      signal: limit.signal,
    }
    const send = () => fetch(url + path, init)
    try {
      const answering = (method === 'GET' ? sendWithRetry(send, limit.signal) : send()).then(readAnswer)
      return await limit.race(answering, () => err(unavailable('timeout')))
    } catch {
      // Without the platform's message, which can hold the value of a header.
      return err(unavailable(limit.signal.aborted ? 'timeout' : 'network'))
    } finally {
      limit.clear()
    }
  }
}

/**
 * Sends a request that only reads once more after a lost connection: a server that closes idle connections without
 * notice (uWSGI's `--http-socket` after every answer) loses the next request on such a connection.
 */
async function sendWithRetry(send: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  try {
    return await send()
  } catch (error) {
    if (signal.aborted) throw error
    return send()
  }
}

async function readAnswer(response: Response): Promise<Result<KeystoneAnswer, Unavailable>> {
  const { status, headers } = response
  if (status >= 300 && (status < 400 || status >= 500)) {
    await response.body?.cancel()
    return status < 400 ? err(unavailable('redirect', status)) : ok({ status, headers, body: undefined })
  }
  const text = await readBoundedText(response, MAX_ANSWER_BYTES)
  return text.ok ? ok({ status, headers, body: parseJson(text.value) }) : err(unavailable('too_large', status))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
