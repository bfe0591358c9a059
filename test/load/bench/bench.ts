import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { type Options, readOptions, USAGE } from './options.ts'
import { summarise, toTable } from './report.ts'
import { type Outcome, playScenario } from './rounds.ts'
import type { Scenario } from './scenario.ts'
import { mappingRules } from './scenarios/mapping-rules.ts'
import { policyAgainstPeer, policyOfManyRoles, policyOfOwnRole } from './scenarios/policy-entries.ts'
import { warmTokenReview, warmTokenReviewRead } from './scenarios/warm-token-review.ts'
import { createStage } from './stage.ts'

// `npm run bench`. Exits with 0 whatever the ratios are, with 1 when a measurement is invalid.

const SCENARIOS: readonly Scenario[] = [
  warmTokenReview,
  warmTokenReviewRead,
  mappingRules,
  policyOfManyRoles,
  policyOfOwnRole,
  ...policyAgainstPeer,
]

const interrupted = new AbortController()
process.on('SIGINT', () => interrupted.abort())
process.on('SIGTERM', () => interrupted.abort())

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(USAGE)
    return
  }
  if (!existsSync(options.bundle)) throw new Error(`${options.bundle} is missing; "npm run bundle" builds it`)
  const outcomes: Outcome[] = []
  for (const scenario of select(options)) {
    const unavailable = scenario.unavailable?.()
    if (unavailable === undefined) outcomes.push(await play(scenario, options))
    else process.stderr.write(`bench: ${scenario.name} is left out: ${unavailable}\n`)
  }
  process.stdout.write(options.json ? toJson(outcomes, options) : outcomes.map(toText).join('\n'))
}

function select({ scenarios: names }: Options): readonly Scenario[] {
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    throw new Error(`--scenario=${unknown}: expected one of ${SCENARIOS.map(({ name }) => name).join(', ')}`)
  }
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name))
}

async function play(scenario: Scenario, options: Options): Promise<Outcome> {
  const stage = createStage(interrupted.signal, options.bundle)
  const onProgress = (text: string): void => {
    interrupted.signal.throwIfAborted()
    if (!options.json) process.stderr.write(`bench: ${text}\n`)
  }
  try {
    return await playScenario(scenario, stage, { ...options, onProgress })
  } finally {
    await stage.close()
  }
}

function toJson(outcomes: readonly Outcome[], { seconds, connections }: Options): string {
  const machine = { processors: cpus().length, processor: cpus()[0]?.model, node: process.version }
  return `${JSON.stringify({ machine, seconds, connections, scenarios: outcomes.map(summarise) })}\n`
}

function toText(outcome: Outcome): string {
  return toTable(outcome.scenario.title, summarise(outcome))
}

main().catch((error: unknown) => {
  const stopped = interrupted.signal.aborted
  process.stderr.write(`bench: ${stopped ? 'interrupted' : error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = stopped ? 130 : 1
})
