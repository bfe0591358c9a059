import { join } from 'node:path'
import { issueToken, serveKeystone } from '../keystone.ts'
import type { Contender, Pair, Post, Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { type Answer, send, toContender, tokenReview } from '../token-review.ts'
import { serveWebhook } from '../webhook.ts'
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
  const subject = toContender('keystone-edge-auth', webhook, post)
  return { post, subject, baseline: await serveConstant(stage, post, await send(subject.url, post)) }
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
