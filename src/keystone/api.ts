import { readBoundedText } from '../lib/bounded-text.ts'
import { type Clock, createTimeLimit } from '../lib/clock.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { type Unavailable, unavailable } from './unavailable.ts'

/** `fetch`, or that of the `KEYSTONE` binding. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpDeps {
  readonly fetch: Fetch
  /** Of a request, without a slash at its end. */
  readonly url: string
  /** The longest that one request may take. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly clock: Clock
}

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
  /** The most that is read of the answer; 4 MiB where it is left out. */
  readonly maxAnswerBytes?: number
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

/** 10,000 groups are about 1.3 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** The client of the Identity API; `deps.url` is its v3 root. */
export function createKeystoneApi(deps: HttpDeps): KeystoneApi {
  return function requestKeystone({
    method = 'GET',
    path,
    headers,
    body,
    deadlineMs,
    maxAnswerBytes = MAX_ANSWER_BYTES,
  }) {
    const read = (response: Response) => readAnswer(response, maxAnswerBytes)
    const isJson = body !== undefined
    const init = {
      method,
      headers: { ...headers, Accept: 'application/json', ...(isJson && { 'Content-Type': 'application/json' }) },
      ...(isJson && { body: JSON.stringify(body) }),
    }
    const fetch: Fetch = (url, sent) => sendWithRetry(deps.fetch, url, sent)
    return send({ ...deps, url: deps.url + path, ...(method === 'GET' && { fetch }) }, init, deadlineMs, read)
  }
}

/**
 * Sends one request, and reads its answer, by `deadlineMs`. Never rejects: what is no answer is `unavailable`. Redirects are
 * refused: following one would send the headers, which hold secrets, to another host. Answers are never cached: every
 * validation has the same URL.
 */
export async function send<T>(
  { fetch, url, timeoutMs, userAgent, clock }: HttpDeps,
  init: { readonly headers: Readonly<Record<string, string>> } & RequestInit,
  deadlineMs: number,
  read: (response: Response) => Promise<Result<T, Unavailable>>,
): Promise<Result<T, Unavailable>> {
  const nowMs = clock.now()
  if (nowMs >= deadlineMs) return err(unavailable('timeout'))
  const limit = createTimeLimit(clock, Math.min(deadlineMs, nowMs + timeoutMs))
  const fixed = { redirect: 'manual', cache: 'no-store', signal: limit.signal } as const
  try {
    const headers = { ...init.headers, 'User-Agent': userAgent }
    const answering = fetch(url, { ...init, ...fixed, headers }).then(async (response) => {
      const { status } = response
      if (status < 300 || status >= 400) return read(response)
      await response.body?.cancel()
      return err(unavailable('redirect', status))
    })
    return await limit.race(answering, () => err(unavailable('timeout')))
  } catch {
    // Without the platform's message, which can hold the value of a header.
    return err(unavailable(limit.signal.aborted ? 'timeout' : 'network'))
  } finally {
    limit.clear()
  }
}

/**
 * Sends a request that only reads once more after a lost connection: a server that closes idle connections without
 * notice (uWSGI's `--http-socket` after every answer) loses the next request on such a connection.
 */
async function sendWithRetry(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    return fetch(url, init)
  }
}

async function readAnswer(response: Response, maxBytes: number): Promise<Result<KeystoneAnswer, Unavailable>> {
  const { status, headers } = response
  if (status >= 500) {
    await response.body?.cancel()
    return ok({ status, headers, body: undefined })
  }
  const text = await readBoundedText(response, maxBytes)
  return text.ok ? ok({ status, headers, body: parseJson(text.value) }) : err(unavailable('too_large', status))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
