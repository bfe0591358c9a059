import { randomBytes } from 'node:crypto'
import { serveWebhook } from '../../harness/bundled-webhook.ts'
import { tokenReview } from '../../harness/reviews.ts'
import { issueAlicesToken, serveDemoKeystone } from '../../harness/served-keystone.ts'
import type { Stage } from '../../harness/stage.ts'
import { toContender } from '../contenders.ts'
import type { Pair, Scenario } from '../scenario.ts'
import { prepareWrk } from '../wrk.ts'

/** A mapping of 1,000 rules against one of 2: a warm review must cost at most 1.2 times as much. */
export const mappingRules: Scenario = {
  name: 'mapping-rules',
  title: 'A warm TokenReview under a mapping of 1,000 rules, and under one of 2',
  target: 1 / 1.2,
  start,
}

async function start(stage: Stage): Promise<Pair> {
  const keystone = await serveDemoKeystone(stage)
  const credential = randomBytes(32).toString('base64url')
  const body = tokenReview(await issueAlicesToken(keystone))
  const wrk = prepareWrk(stage, { authorization: `Bearer ${credential}`, body })
  const serve = (name: string, rules: number) =>
    serveWebhook(stage, { name, keystoneUrl: keystone.url, credential, documents: { mapping: mappingOf(rules) } })
  return {
    subject: toContender('1,000 rules', await serve('many-rules', 1_000), wrk),
    baseline: toContender('2 rules', await serve('few-rules', 2), wrk),
  }
}

/** Rules for as many roles, of which alice has the last one: both mappings give her the same user. */
function mappingOf(count: number): string {
  const rules = Array.from({ length: count - 1 }, (_, index) => ({ role: `role-${index}`, groups: [`group-${index}`] }))
  return JSON.stringify({ rules: [...rules, { role: 'member', groups: ['developers', '{project.name}:developers'] }] })
}
