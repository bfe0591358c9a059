import { isClusterName } from '../../../documents/callers.ts'
import { EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { createPaint, note, printJson, printLines } from '../output.ts'
import { readToken } from '../read-token.ts'
import { checkWebhookUrl } from '../webhook-url.ts'
import { askWebhook, type Webhook } from './ask-webhook.ts'
import { checkCaller } from './check-caller.ts'
import { checkClock, checkDns, checkHealth, checkTls } from './check-connection.ts'
import { checkReady, READY_CHECKS } from './check-ready.ts'
import { checkGarbage, checkLatency, checkToken, makeGarbage } from './check-reviews.ts'
import { explainConnection } from './connection-fault.ts'
import { type Finding, notTried } from './finding.ts'

export interface DoctorFlags {
  readonly url: string
  readonly callerTokenFile: string
  readonly cluster?: string
  readonly tokenFile?: string
  readonly cacert?: string
  readonly output: 'text' | 'json'
}

/** Runs `doctor`: each link from this machine to Keystone, in the order of the chain. Ends with 1 if one failed. */
export default async function doctor(this: CommandContext, flags: DoctorFlags): Promise<void> {
  const { cluster, tokenFile } = flags
  if (cluster !== undefined && !isClusterName(cluster)) throw usageError(`${cluster} is no name of a cluster`)
  const url = checkWebhookUrl(flags.url)
  const webhook = {
    url,
    reviewPath: cluster === undefined ? '/webhook' : `/clusters/${cluster}/webhook`,
    callerToken: await readToken(this, flags.callerTokenFile),
    transport: await this.connect(flags.cacert),
    now: this.now,
  }
  const token = tokenFile === undefined ? undefined : await readToken(this, tokenFile)
  note(this, `checking ${url} …`)
  const findings = await examine(this, webhook, { cluster, token })
  if (findings.some(({ state }) => state === 'failed')) this.process.exitCode = EXIT.fault
  if (flags.output === 'json') return printJson(this, findings)
  printLines(
    this,
    findings.flatMap((finding) => describe(this, finding)),
  )
}

interface Asked {
  readonly cluster: string | undefined
  readonly token: string | undefined
}

/** The chain. The first failed link ends it, and the rest was not tried. */
export async function examine(context: CommandContext, webhook: Webhook, asked: Asked): Promise<Finding[]> {
  const reviews = ['garbage token', ...(asked.token === undefined ? [] : ['token'])]
  const later = ['tls', 'healthz', 'clock', 'caller', ...READY_CHECKS, ...reviews, 'latency']
  const findings: Finding[] = [await checkDns(webhook.url, context.resolve)]
  const stop = (): boolean => findings.at(-1)?.state === 'failed'
  const rest = (): Finding[] => {
    const because = findings.at(-1)?.check ?? ''
    const done = new Set(findings.map(({ check }) => check))
    return [...findings, ...later.filter((check) => !done.has(check)).map((check) => notTried(check, because))]
  }
  if (stop()) return rest()
  const { finding, answer } = await checkTls(webhook)
  findings.push(finding)
  if (answer === undefined) return rest()
  findings.push(checkHealth(answer))
  if (stop()) return rest()
  findings.push(checkClock(answer), await checkCaller(webhook, asked.cluster))
  if (stop()) return rest()
  const ready = await askWebhook(webhook, { path: '/readyz', asCaller: true })
  findings.push(...(ready.ok ? checkReady(ready.answer) : [explainConnection('readyz', ready.code)]))
  return [...findings, ...(await examineReviews(context, webhook, { reviews, findings, token: asked.token }))]
}

/** What a review needs. While one of them fails, a review tells nothing new. */
const NEEDED = ['readyz', 'settings', 'keystone', 'document mapping']

async function examineReviews(
  context: CommandContext,
  webhook: Webhook,
  { reviews, findings, token }: { reviews: readonly string[]; findings: readonly Finding[]; token: string | undefined },
): Promise<Finding[]> {
  const missing = findings.find(({ check, state }) => state === 'failed' && NEEDED.some((one) => check === one))
  if (missing !== undefined) return [...reviews, 'latency'].map((check) => notTried(check, missing.check))
  const garbage = makeGarbage(context.randomBytes)
  const found = [await checkGarbage(webhook, garbage)]
  if (token !== undefined) found.push(await checkToken(webhook, token))
  return [...found, await checkLatency(webhook, token ?? garbage.plain)]
}

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const
const STYLES = { ok: 'green', warning: 'yellow', failed: 'red' } as const

function describe(context: CommandContext, { check, state, message, fix }: Finding): string[] {
  const paint = createPaint(context)
  return [`${paint(STYLES[state], MARKS[state])} ${check}: ${message}`, ...(fix === '' ? [] : [`  fix: ${fix}`])]
}
