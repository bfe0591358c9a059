import { randomBytes } from 'node:crypto'
import { issueToken, serveKeystone } from '../keystone.ts'
import type { Pair, Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { toContender, tokenReview } from '../token-review.ts'
import { serveWebhook } from '../webhook.ts'

/** A mapping of 1,000 rules against one of 2: a warm review must cost at most 1.2 times as much. */
export const mappingRules: Scenario = {
  name: 'mapping-rules',
  title: 'A warm TokenReview under a mapping of 1,000 rules, and under one of 2',
  target: 1 / 1.2,
  start,
}

async function start(stage: Stage): Promise<Pair> {
  const keystoneUrl = await serveKeystone(stage)
  const credential = randomBytes(32).toString('base64url')
  const post = { authorization: `Bearer ${credential}`, body: tokenReview(await issueToken(keystoneUrl)) }
  const serve = (name: string, rules: number) =>
    serveWebhook(stage, { name, keystoneUrl, credential, documents: { mapping: mappingOf(rules) } })
  return {
    post,
    subject: toContender('1,000 rules', await serve('many-rules', 1_000), post),
    baseline: toContender('2 rules', await serve('few-rules', 2), post),
  }
}

/** Rules for as many roles, of which alice has the last one: both mappings give her the same user. */
function mappingOf(count: number): string {
  const rules = Array.from({ length: count - 1 }, (_, index) => ({ role: `role-${index}`, groups: [`group-${index}`] }))
  return JSON.stringify({ rules: [...rules, { role: 'member', groups: ['developers', '{project.name}:developers'] }] })
}
