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
  start: (stage) => start(stage, 'constant'),
}

/** The same against a Worker that reads the review first: what is left between them is the project's own. */
export const warmTokenReviewRead: Scenario = {
  name: 'warm-token-review-read',
  title: 'A TokenReview of a token that is in memory, and a Worker that reads it and answers a constant',
  target: 0.85,
  start: (stage) => start(stage, 'reads'),
}

async function start(stage: Stage, baseline: 'constant' | 'reads'): Promise<Pair> {
  const keystoneUrl = await serveKeystone(stage)
  const token = await issueToken(keystoneUrl)
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl, documents: { mapping: '{}' } })
  const post = { authorization: webhook.authorization, body: tokenReview(token) }
  const subject = toContender('keystone-edge-auth', webhook, post)
  return { post, subject, baseline: await serveKnown(stage, baseline, post, await send(subject.url, post)) }
}

/** A Worker that is told its answer beforehand. */
async function serveKnown(stage: Stage, name: string, post: Post, { contentType, text }: Answer): Promise<Contender> {
  const worker = await serveWorker(stage, {
    name,
    script: join(import.meta.dirname, `../workers/${name}.js`),
    bindings: [
      { name: 'ANSWER', text },
      { name: 'CONTENT_TYPE', text: contentType },
    ],
  })
  const url = `${worker.url}/webhook`
  const check = async (): Promise<void> => {
    if ((await send(url, post)).text !== text) throw new Error('invalid: the constant is not what it was')
  }
  return { name, pid: worker.pid, url, check }
}
