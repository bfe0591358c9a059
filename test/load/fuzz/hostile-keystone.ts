import type { IncomingMessage } from 'node:http'
import { listen } from '../bench/listen.ts'
import type { Stage } from '../bench/stage.ts'
import { serveWebhook } from '../bench/webhook.ts'
import { createConnection } from './connection.ts'
import { findFaultyUser, LITERALS } from './hostile-answer-oracle.ts'
import { type HostileAnswer, makeGroupsAnswer, makeTokenAnswer } from './hostile-answers.ts'
import { examineLog, type LogSummary } from './log.ts'
import { createRandom } from './random.ts'
import { fernetShaped } from './tokens.ts'

export interface HostileKeystoneOptions {
  readonly runs: number
  readonly seed: number
  readonly from: number
}

export interface HostileKeystoneOutcome {
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

/** Reviews tokens of a Keystone that answers with anything: who comes out must be somebody that may come out. */
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
  const port = Number(new URL(webhook.url).port)
  const faults: string[] = keystone.faults
  const startedAtMs = performance.now()
  let [next, logins, yeses] = [0, 0, 0]

  async function work(): Promise<void> {
    const connection = createConnection(port)
    while (next < runs && faults.length < MAX_FAULTS) {
      const index = from + next++
      const random = createRandom(seed ^ 0x5eed, index)
      const token = fernetShaped(random)
      const given = makeTokenAnswer(random)
      keystone.expect(token, given, makeGroupsAnswer(random))
      const exchange = await connection.exchange(toReview(token))
      keystone.forget(token)
      logins += 1
      const fault = 'answer' in exchange ? findFaultyUser(exchange.answer, given) : `no answer: ${exchange.failure}`
      if (fault !== undefined) faults.push(`seed ${seed}, hostile login ${index}: ${fault}`)
      if ('answer' in exchange && exchange.answer.text.includes('"authenticated":true')) yeses += 1
    }
    connection.close()
  }

  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  const seconds = (performance.now() - startedAtMs) / 1000
  const log = await examineLog(webhook.logFile, [CREDENTIAL])
  return { logins, yeses, seconds, groupsAsked: keystone.groupsAsked(), faults: [...faults, ...log.faults], log }
}

/** A literal group that a rule grants to nobody who comes, and one of Kubernetes' own. */
const MAPPING = {
  rules: [
    { user: 'f'.repeat(32), groups: LITERALS },
    { role: 'member', groups: ['{project.name}:members', 'of-{user.name}'] },
  ],
  'system-groups': ['system:masters'],
}

function toReview(token: string) {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const headers = [
    ['Authorization', `Bearer ${CREDENTIAL}`],
    ['Content-Type', 'application/json'],
  ] as const
  const text = Buffer.from(JSON.stringify(body))
  return {
    kind: 'token',
    method: 'POST',
    path: '/webhook',
    headers,
    body: text,
    chunked: false,
    broken: false,
  } as const
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

  const address = await listen(stage, (request, response) => {
    const { status, headers, body } = choose(request)
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(body)
  })
  return {
    url: `http://${address}/v3`,
    faults,
    groupsAsked: () => groupsAsked,
    expect: (token: string, answer: HostileAnswer, groups: HostileAnswer) =>
      void expected.set(token, { token: answer, groups }),
    forget: (token: string) => void expected.delete(token),
  }
}
