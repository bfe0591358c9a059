import { readProcessorSeconds } from '../harness/process-usage.ts'
import type { Stage } from '../harness/stage.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Contender, Load, LoadOptions, Scenario, ScenarioOptions } from './scenario.ts'

/** One contender in one round. */
export interface Measurement extends Load {
  readonly processorMicrosPerRequest: number
}

interface Round {
  readonly subject: Measurement
  readonly baseline: Measurement
}

/** What was measured of one scenario. */
export interface Outcome {
  readonly scenario: Scenario
  readonly names: { readonly subject: string; readonly baseline: string }
  readonly rounds: readonly Round[]
}

interface RoundOptions extends LoadOptions, ScenarioOptions {
  readonly rounds: number
  /** Told before each measurement. */
  readonly onProgress: (text: string) => void
}

/** Answers vary by a few bytes at the most, when a measurement ends in the middle of some. */
const MAX_SIZE_DIFFERENCE = 0.01

const TURN_SECONDS = 1

type Measure = (contender: Contender) => Promise<Measurement>

/** Plays one scenario: both warmed up, then interleaved rounds. Rejects when anything makes the figures worthless. */
export async function playScenario(scenario: Scenario, stage: Stage, options: RoundOptions): Promise<Outcome> {
  const { subject, baseline } = await scenario.start(stage, options)
  const check = async (): Promise<void> => {
    await subject.check()
    await baseline.check()
  }
  await check()
  const measure = await warmUp([subject, baseline], options)
  const rounds: Round[] = []
  for (let number = 1; number <= options.rounds; number += 1) {
    options.onProgress(`${scenario.name}: round ${number} of ${options.rounds}`)
    rounds.push(await playRound(subject, baseline, measure, options.seconds))
  }
  await check()
  return { scenario, names: { subject: subject.name, baseline: baseline.name }, rounds }
}

/**
 * Both in turns of a second each, as the machine of one second is not that of the next. Which contender is first changes
 * from turn to turn.
 */
async function playRound(subject: Contender, baseline: Contender, measure: Measure, seconds: number): Promise<Round> {
  const seen = { subject: [] as Measurement[], baseline: [] as Measurement[] }
  for (let turn = 0; turn < seconds; turn += 1) {
    if (turn % 2 === 0) seen.subject.push(await measure(subject))
    seen.baseline.push(await measure(baseline))
    if (turn % 2 === 1) seen.subject.push(await measure(subject))
  }
  return { subject: merge(seen.subject), baseline: merge(seen.baseline) }
}

/** Turns of equal length as one measurement. */
function merge(turns: readonly Measurement[]): Measurement {
  const sum = (pick: (turn: Measurement) => number): number => turns.reduce((total, turn) => total + pick(turn), 0)
  const requests = sum((turn) => turn.requests)
  return {
    requests,
    requestsPerSecond: sum((turn) => turn.requestsPerSecond) / turns.length,
    p50Ms: spreadOf(turns.map(({ p50Ms }) => p50Ms)).median,
    p99Ms: spreadOf(turns.map(({ p99Ms }) => p99Ms)).median,
    bytesPerAnswer: sum((turn) => turn.bytesPerAnswer * turn.requests) / requests,
    processorMicrosPerRequest: sum((turn) => turn.processorMicrosPerRequest * turn.requests) / requests,
  }
}

/** Runs each contender once for the compilers, and notes the size of the contender's answers. */
async function warmUp(contenders: readonly Contender[], options: RoundOptions): Promise<Measure> {
  const sizes = new Map<Contender, number>()
  for (const contender of contenders) {
    options.onProgress(`warming up: ${contender.name}`)
    sizes.set(contender, (await contender.load(options)).bytesPerAnswer)
  }
  return async (contender) => {
    const before = readProcessorSeconds(contender.pid)
    const seen = await contender.load({ ...options, seconds: TURN_SECONDS })
    const processorSeconds = readProcessorSeconds(contender.pid) - before
    assertSameSize(contender.name, seen.bytesPerAnswer, sizes.get(contender))
    return { ...seen, processorMicrosPerRequest: (processorSeconds * 1e6) / seen.requests }
  }
}

// Reviews that fail are answered with 200 too, but with a shorter body.
function assertSameSize(name: string, bytes: number, expected = Number.NaN): void {
  if (Math.abs(bytes / expected - 1) <= MAX_SIZE_DIFFERENCE) return
  throw new Error(`invalid: ${name} answered ${bytes.toFixed(1)} bytes on average, ${expected.toFixed(1)} before`)
}
