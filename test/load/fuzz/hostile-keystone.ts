import type { IncomingMessage } from 'node:http'
import { serveWebhook } from '../harness/bundled-webhook.ts'
import { keepBusy } from '../harness/keep-busy.ts'
import { reviewRequest, tokenReview } from '../harness/reviews.ts'
import { createRandom } from '../harness/seeded-random.ts'
import { serveKeystoneStandIn } from '../harness/serve-loopback.ts'
import type { Stage } from '../harness/stage.ts'
import { fernetShaped } from '../harness/token-shapes.ts'
import { examineLog, type LogSummary } from '../harness/webhook-log.ts'
import { findFaultyUser, LITERALS } from './hostile-answer-oracle.ts'
import { type HostileAnswer, makeGroupsAnswer, makeTokenAnswer } from './hostile-answers.ts'

interface HostileKeystoneOptions {
  readonly runs: number
  readonly seed: number
  readonly from: number
}

interface HostileKeystoneOutcome {
  readonly logins: number
  readonly yeses: number
  readonly seconds: number
  readonly groupsAsked: number
  readonly faults: readonly string[]
  readonly log: LogSummary
}

const CONNECTIONS = 8
const MAX_FAULTS = 20
const CREDENTIAL = 'caller-credential-of-the-hostile-keystone'

/** Reviews tokens of a Keystone that answers with anything, and judges every user that the webhook names. */
export async function runHostileKeystone(
  stage: Stage,
  { runs, seed, from }: HostileKeystoneOptions,
): Promise<HostileKeystoneOutcome> {
  const keystone = await serveHostileKeystone(stage)
  const webhook = await serveWebhook(stage, {
    name: 'behind-hostile',
    keystoneUrl: keystone.url,
    credential: CREDENTIAL,
    documents: { mapping: JSON.stringify(MAPPING) },
  })
  const faults: string[] = keystone.faults
  let [next, logins, yeses] = [0, 0, 0]

  function goesOn(): boolean {
    stage.signal.throwIfAborted()
    return next < runs && faults.length < MAX_FAULTS
  }

  const seconds = await keepBusy(webhook.url, { connections: CONNECTIONS, goesOn }, async (connection) => {
    const index = from + next++
    const random = createRandom(seed ^ 0x5eed, index)
    const token = fernetShaped(random)
    const given = makeTokenAnswer(random)
    keystone.expect(token, given, makeGroupsAnswer(random))
    const exchange = await connection.exchange(reviewRequest(webhook.authorization, tokenReview(token)))
    keystone.forget(token)
    logins += 1
    const fault = 'answer' in exchange ? findFaultyUser(exchange.answer, given) : `no answer: ${exchange.failure}`
    if (fault !== undefined) faults.push(`seed ${seed}, hostile login ${index}: ${fault}`)
    if ('answer' in exchange && exchange.answer.text.includes('"authenticated":true')) yeses += 1
  })
  const log = await examineLog(webhook.logFile, [CREDENTIAL])
  return { logins, yeses, seconds, groupsAsked: keystone.groupsAsked(), faults: [...faults, ...log.faults], log }
}

/** Literal groups in a rule that fits no user of the run, one of them Kubernetes' own. */
const MAPPING = {
  rules: [
    { user: 'f'.repeat(32), groups: LITERALS },
    { role: 'member', groups: ['{project.name}:members', 'of-{user.name}'] },
  ],
  'system-groups': ['system:masters'],
}

interface Expected {
  readonly token: HostileAnswer
  readonly groups: HostileAnswer
}

/** Answers each token as it was told to, and notes every request that no Keystone should get. */
async function serveHostileKeystone(stage: Stage) {
  const expected = new Map<string, Expected>()
  const faults: string[] = []
  let groupsAsked = 0

  function choose(request: IncomingMessage): HostileAnswer {
    const answers = expected.get(String(request.headers['x-auth-token']))
    if (answers === undefined) return { status: 401, headers: {}, body: '{"error":{"code":401}}' }
    if (request.url === '/v3/auth/tokens?nocatalog') return answers.token
    groupsAsked += 1
    const segment = /^\/v3\/users\/([^/?#]+)\/groups$/.exec(request.url ?? '')?.[1]
    const isUser = segment !== undefined && decodeURIComponent(segment) === answers.token.userId
    if (!isUser) faults.push(`Keystone was asked for ${JSON.stringify(request.url)}`)
    return answers.groups
  }

  return {
    url: await serveKeystoneStandIn(stage, choose),
    faults,
    groupsAsked: () => groupsAsked,
    expect: (token: string, answer: HostileAnswer, groups: HostileAnswer) =>
      void expected.set(token, { token: answer, groups }),
    forget: (token: string) => void expected.delete(token),
  }
}
