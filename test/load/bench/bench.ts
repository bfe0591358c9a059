import { cpus } from 'node:os'
import { type LoadCommand, runLoadCommand } from '../harness/load-command.ts'
import { type Options, readOptions, USAGE } from './bench-options.ts'
import { summarise, toTable } from './bench-report.ts'
import { type Outcome, playScenario } from './rounds.ts'
import type { Scenario } from './scenario.ts'
import { coldTokenReview } from './scenarios/cold-token-review.ts'
import { mappingRules } from './scenarios/mapping-rules.ts'
import { pluginAgainstGo, pluginAgainstNode, pluginExecutable } from './scenarios/plugin.ts'
import { policyAgainstPeer, policyOfManyRoles, policyOfOwnRole } from './scenarios/policy-entries.ts'
import { warmTokenReview, warmTokenReviewRead } from './scenarios/warm-token-review.ts'

// `npm run bench`. Exits with 0 whatever the ratios are, with 1 when a measurement is invalid.

const SCENARIOS: readonly Scenario[] = [
  warmTokenReview,
  warmTokenReviewRead,
  coldTokenReview,
  mappingRules,
  policyOfManyRoles,
  policyOfOwnRole,
  ...policyAgainstPeer,
  pluginAgainstNode,
  pluginAgainstGo,
  pluginExecutable,
]

await runLoadCommand('bench', async (command) => {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(USAGE)
    return
  }
  const outcomes: Outcome[] = []
  for (const scenario of select(options)) {
    const unavailable = scenario.unavailable?.(options)
    if (unavailable === undefined) outcomes.push(await play(command, scenario, options))
    else process.stderr.write(`bench: ${scenario.name} is left out: ${unavailable}\n`)
  }
  process.stdout.write(options.json ? toJson(outcomes, options) : outcomes.map(toText).join('\n'))
})

function select({ scenarios: names }: Options): readonly Scenario[] {
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    throw new Error(`--scenario=${unknown}: expected one of ${SCENARIOS.map(({ name }) => name).join(', ')}`)
  }
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name))
}

function play({ signal, withStage }: LoadCommand, scenario: Scenario, options: Options): Promise<Outcome> {
  const onProgress = (text: string): void => {
    signal.throwIfAborted()
    if (!options.json) process.stderr.write(`bench: ${text}\n`)
  }
  return withStage(options.bundle, (stage) => playScenario(scenario, stage, { ...options, onProgress }))
}

function toJson(outcomes: readonly Outcome[], { seconds, connections }: Options): string {
  const machine = { processors: cpus().length, processor: cpus()[0]?.model, node: process.version }
  return `${JSON.stringify({ machine, seconds, connections, scenarios: outcomes.map(summarise) })}\n`
}

function toText(outcome: Outcome): string {
  return toTable(outcome.scenario.title, summarise(outcome))
}
