import { parseArgs } from 'node:util'
import { serveWebhook } from '../harness/bundled-webhook.ts'
import { type KvServer, serveKv } from '../harness/kv-server.ts'
import { runLoadCommand } from '../harness/load-command.ts'
import { readMemoryMib } from '../harness/process-usage.ts'
import { readNumber } from '../harness/read-number.ts'
import { serveDemoKeystone } from '../harness/served-keystone.ts'
import type { Stage } from '../harness/stage.ts'
import { percentileOf } from '../harness/statistics.ts'
import { examineLog } from '../harness/webhook-log.ts'
import { createMix, POLICY } from './mix.ts'
import { createPeople } from './people.ts'
import { runClosed, runOpen, type Seen } from './soak-load.ts'

// `npm run soak`. Exits with 1 when any review failed, memory grew, or the log holds what it must not.

const USERS = 300
const MEASURE_SECONDS = 10
/** How much more memory the last half may show than the quarter before it. */
const MARGIN_MIB = 32

let edits = 1

await runLoadCommand('soak', async ({ withStage }) => {
  const options = { minutes: { type: 'string', default: '10' }, share: { type: 'string', default: '0.8' } } as const
  const { values } = parseArgs({ options })
  const minutes = readNumber('--minutes', values.minutes, { min: 0.5, max: 1440, fractions: true })
  const share = readNumber('--share', values.share, { min: 0.1, max: 0.9, fractions: true })
  const result = await withStage('dist/worker.js', (stage) => soak(stage, minutes * 60, share))
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  if (result.failures.length > 0) process.exitCode = 1
})

async function soak(stage: Stage, seconds: number, share: number) {
  const keystone = await serveDemoKeystone(stage)
  const people = await createPeople(keystone, USERS)
  const { webhook, config } = await start(stage, keystone.url)
  const { authorization, url } = webhook
  const next = createMix(people, authorization, Date.now())
  const measured = await runClosed(url, next, { connections: 16, seconds: MEASURE_SECONDS })
  const perSecond = Math.floor(measured.perSecond * share)
  process.stderr.write(`soak: ${Math.round(measured.perSecond)}/s reached, ${perSecond}/s for ${seconds} s\n`)
  const memoryMib: number[] = []
  const life = [
    setInterval(() => void people.turnOver(), 1000),
    setInterval(() => edit(config), 15_000),
    setInterval(() => memoryMib.push(readMemoryMib(webhook.pid)), 1000),
  ]
  const seen = await runOpen(url, next, { connections: 128, seconds, perSecond, signal: stage.signal })
  for (const timer of life) clearInterval(timer)
  const log = await examineLog(webhook.logFile, [authorization, ...people.live.map(({ token }) => token)])
  const memory = summariseMemory(memoryMib)
  const grown = memory.lastHalfMaxMib > memory.secondQuarterMaxMib + MARGIN_MIB
  const failures = [...measured.failures, ...seen.failures, ...log.faults, ...(grown ? ['memory grew'] : [])]
  return { reachedPerSecond: Math.round(measured.perSecond), ...summarise(seen), memory, log, failures }
}

async function start(stage: Stage, keystoneUrl: string) {
  const config = await serveKv(stage, { mapping: '{}', policy: JSON.stringify(POLICY) })
  const cache = await serveKv(stage, {})
  const webhook = await serveWebhook(stage, { name: 'webhook', keystoneUrl, documents: config, cache })
  return { webhook, config }
}

/** The same documents with other bytes: new versions, which are read, parsed and kept as the last good ones. */
function edit({ values }: KvServer): void {
  for (const key of ['mapping', 'policy']) values.set(key, `${values.get(key)?.trimEnd()}${' '.repeat(edits % 50)}`)
  edits += 1
}
function summarise({ answered, perSecond, latenciesMs, failures }: Seen) {
  const at = (share: number): number => Math.round(percentileOf(latenciesMs, share) * 10) / 10
  return { answered, failed: failures.length, perSecond: Math.round(perSecond), p50Ms: at(0.5), p99Ms: at(0.99) }
}

function summariseMemory(samplesMib: readonly number[]) {
  const most = (from: number, to: number): number =>
    Math.round(Math.max(...samplesMib.slice(samplesMib.length * from, samplesMib.length * to)))
  return {
    tenthsMaxMib: Array.from({ length: 10 }, (_, tenth) => most(tenth / 10, (tenth + 1) / 10)),
    secondQuarterMaxMib: most(0.25, 0.5),
    lastHalfMaxMib: most(0.5, 1),
  }
}
