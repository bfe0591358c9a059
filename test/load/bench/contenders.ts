import type { Webhook } from '../harness/bundled-webhook.ts'
import { readReviewStatus } from '../harness/reviews.ts'
import type { Contender, Post } from './scenario.ts'
import type { Wrk } from './wrk.ts'

/** A webhook that must go on answering wrk's TokenReview with alice, and write audit lines. */
export function toContender(name: string, webhook: Webhook, wrk: Wrk): Contender {
  return { ...wrkOn(name, webhook, wrk), check: () => checkWebhook(webhook, wrk.post) }
}

/** A webhook that must go on allowing wrk's SubjectAccessReview. */
export function toAccessContender(name: string, webhook: Webhook, wrk: Wrk): Contender {
  return { ...wrkOn(name, webhook, wrk), check: () => checkAllowed(webhookUrl(webhook), wrk.post) }
}

/** Where a webhook takes reviews. */
export function webhookUrl({ url }: Pick<Webhook, 'url'>): string {
  return `${url}/webhook`
}

/** @throws Error when a TokenReview is not answered with alice, or no audit line is written */
export async function checkWebhook(webhook: Webhook, post: Post): Promise<void> {
  const { text } = await send(webhookUrl(webhook), post)
  if (!isAlice(text)) throw new Error(`invalid: the review was not answered with alice: ${text}`)
  // A webhook that writes no audit line is faster than it should be.
  if (!webhook.log().includes('"event":"review"')) throw new Error('invalid: no audit line was written')
}

/** Whether the text is an answer to a TokenReview that says alice. */
export function isAlice(text: string): boolean {
  const { authenticated, user } = readReviewStatus(text)
  return authenticated === true && user?.username === 'alice'
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

function wrkOn(name: string, webhook: Webhook, wrk: Wrk): Omit<Contender, 'check'> {
  return { name, pid: webhook.pid, load: (options) => wrk.load(webhookUrl(webhook), options) }
}

async function checkAllowed(url: string, post: Post): Promise<void> {
  const { text } = await send(url, post)
  if (readReviewStatus(text).allowed !== true) throw new Error(`invalid: the request was not allowed: ${text}`)
}
