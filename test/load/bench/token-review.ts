import type { Contender, Post } from './scenario.ts'
import type { Webhook } from './webhook.ts'

/** A webhook as one side of a comparison: it must go on answering with alice, and write audit lines. */
export function toContender(name: string, webhook: Webhook, post: Post): Contender {
  return { name, pid: webhook.pid, url: `${webhook.url}/webhook`, check: () => checkWebhook(webhook, post) }
}

async function checkWebhook(webhook: Webhook, post: Post): Promise<void> {
  const { text } = await send(`${webhook.url}/webhook`, post)
  const review: { status?: { authenticated?: unknown; user?: { username?: unknown } } } = JSON.parse(text)
  if (review.status?.authenticated !== true || review.status.user?.username !== 'alice') {
    throw new Error(`invalid: the review was not answered with alice: ${text}`)
  }
  // Whoever writes no audit line is faster than they should be.
  if (!webhook.log().includes('"event":"review"')) throw new Error('invalid: no audit line was written')
}

/** The body of a review, as kube-apiserver sends it but for what it leaves empty. */
export function tokenReview(token: string): string {
  return JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
}

/** An answer that was a success. */
export interface Answer {
  readonly contentType: string
  readonly text: string
}

/** One POST. @throws Error for any other status than a success */
export async function send(url: string, { authorization, body }: Post): Promise<Answer> {
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`invalid: ${url} answered ${response.status}: ${text}`)
  return { contentType: response.headers.get('Content-Type') ?? '', text }
}
