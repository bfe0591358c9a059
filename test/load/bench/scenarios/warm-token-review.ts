import { join } from 'node:path'
import { serveWebhook } from '../../harness/bundled-webhook.ts'
import { tokenReview } from '../../harness/reviews.ts'
import { issueAlicesToken, serveDemoKeystone } from '../../harness/served-keystone.ts'
import type { Stage } from '../../harness/stage.ts'
import { serveWorker } from '../../harness/workerd.ts'
import { type Answer, send, toContender, webhookUrl } from '../contenders.ts'
import type { Contender, Pair, Scenario } from '../scenario.ts'
import { prepareWrk, type Wrk } from '../wrk.ts'

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
  const keystone = await serveDemoKeystone(stage)
  const documents = { mapping: '{}' }
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl: keystone.url, documents })
  const body = tokenReview(await issueAlicesToken(keystone))
  const wrk = prepareWrk(stage, { authorization: webhook.authorization, body })
  const answer = await send(webhookUrl(webhook), wrk.post)
  return {
    subject: toContender('keystone-edge-auth', webhook, wrk),
    baseline: await serveKnown(stage, baseline, wrk, answer),
  }
}

/** A Worker that is told its answer beforehand. */
async function serveKnown(stage: Stage, name: string, wrk: Wrk, { contentType, text }: Answer): Promise<Contender> {
  const worker = await serveWorker(stage, {
    name,
    script: join(import.meta.dirname, `../workers/${name}.js`),
    bindings: [
      { name: 'ANSWER', text },
      { name: 'CONTENT_TYPE', text: contentType },
    ],
  })
  const url = webhookUrl(worker)
  const check = async (): Promise<void> => {
    if ((await send(url, wrk.post)).text !== text) throw new Error('invalid: the constant is not what it was')
  }
  return { name, pid: worker.pid, load: (options) => wrk.load(url, options), check }
}
