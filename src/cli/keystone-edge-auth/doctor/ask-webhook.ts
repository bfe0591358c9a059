import { readBoundedText } from '../../../lib/bounded-text.ts'
import type { Transport } from '../../shared/node-fetch.ts'

/** The Worker, as a cluster's kube-apiserver reaches it. */
export interface Webhook {
  /** The address, without a slash at its end. */
  readonly url: string
  /** The path of reviews. */
  readonly reviewPath: string
  readonly callerToken: string
  readonly transport: Transport
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** An answer, or the error code of Node or OpenSSL for none; `TIMEOUT` where none came in time. */
export type Asked =
  | { readonly ok: true; readonly answer: WebhookAnswer }
  | { readonly ok: false; readonly code: string }

export interface WebhookAnswer {
  readonly status: number
  /** Parsed JSON; `undefined` for a body that is none. */
  readonly body: unknown
  /** By the header `Date`, in epoch milliseconds. */
  readonly dateMs: number | undefined
  readonly elapsedMs: number
  /** When the answer came, by the clock of this machine. */
  readonly atMs: number
}

interface Question {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  /** Whether the caller's credential is sent. */
  readonly asCaller?: boolean
  readonly body?: string
}

/** A review takes at most 9 s, by the deadline of the Worker. */
const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Asks the Worker once. Follows no redirect, which could send the credential elsewhere. Never rejects. */
export async function askWebhook(webhook: Webhook, question: Question): Promise<Asked> {
  const { transport, url, now } = webhook
  const { method = 'GET', path, asCaller = false, body } = question
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const headers = {
    Accept: 'application/json',
    ...(asCaller && { Authorization: `Bearer ${webhook.callerToken}` }),
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
  }
  const startMs = performance.now()
  try {
    const response = await transport.fetch(url + path, { method, headers, signal, ...(body !== undefined && { body }) })
    const text = await readBoundedText(response, MAX_ANSWER_BYTES)
    const elapsedMs = performance.now() - startMs
    const json = text.ok ? parseJson(text.value) : undefined
    const answer = { status: response.status, body: json, dateMs: dateOf(response), elapsedMs, atMs: now() }
    return { ok: true, answer }
  } catch {
    return { ok: false, code: signal.aborted ? 'TIMEOUT' : (transport.lastErrorCode() ?? 'no error code') }
  }
}

function dateOf(response: Response): number | undefined {
  const date = Date.parse(response.headers.get('Date') ?? '')
  return Number.isNaN(date) ? undefined : date
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
