import { join } from 'node:path'
import { issueToken, serveKeystone } from '../keystone.ts'
import type { Contender, Pair, Post, Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { serveWebhook, type Webhook } from '../webhook.ts'
import { serveWorker } from '../workerd.ts'

/** A valid token that is in memory, against a Worker that answers the same bytes without looking. */
export const warmTokenReview: Scenario = {
  name: 'warm-token-review',
  title: 'A TokenReview of a token that is in memory, and a Worker that answers a constant',
  target: 0.65,
  start,
}

const CONSTANT = join(import.meta.dirname, '../workers/constant.js')

async function start(stage: Stage): Promise<Pair> {
  const keystoneUrl = await serveKeystone(stage)
  const token = await issueToken(keystoneUrl)
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl, documents: { mapping: '{}' } })
  const post = { authorization: webhook.authorization, body: tokenReview(token) }
  const url = `${webhook.url}/webhook`
  const answer = await send(url, post)
  return {
    post,
    subject: { name: 'keystone-edge-auth', pid: webhook.pid, url, check: () => checkWebhook(webhook, post) },
    baseline: await serveConstant(stage, post, answer),
  }
}

async function serveConstant(stage: Stage, post: Post, { contentType, text }: Answer): Promise<Contender> {
  const { pid, url } = await serveWorker(stage, {
    name: 'constant',
    script: CONSTANT,
    bindings: [
      { name: 'ANSWER', text },
      { name: 'CONTENT_TYPE', text: contentType },
    ],
  })
  const check = async (): Promise<void> => {
    if ((await send(url, post)).text !== text) throw new Error('invalid: the constant is not what it was')
  }
  return { name: 'constant', pid, url, check }
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

function tokenReview(token: string): string {
  return JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
}

interface Answer {
  readonly contentType: string
  readonly text: string
}

async function send(url: string, { authorization, body }: Post): Promise<Answer> {
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`invalid: ${url} answered ${response.status}: ${text}`)
  return { contentType: response.headers.get('Content-Type') ?? '', text }
}
