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

const SLICE_SECONDS = 1

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
 * Both in slices of a second each, because the speed of a shared machine changes from second to second. Which contender
 * is first alternates.
 */
async function playRound(subject: Contender, baseline: Contender, measure: Measure, seconds: number): Promise<Round> {
  const seen = { subject: [] as Measurement[], baseline: [] as Measurement[] }
  for (let slice = 0; slice < seconds; slice += 1) {
    if (slice % 2 === 0) seen.subject.push(await measure(subject))
    seen.baseline.push(await measure(baseline))
    if (slice % 2 === 1) seen.subject.push(await measure(subject))
  }
  return { subject: merge(seen.subject), baseline: merge(seen.baseline) }
}

/** Slices of equal length as one measurement. */
function merge(slices: readonly Measurement[]): Measurement {
  const sum = (pick: (slice: Measurement) => number): number => slices.reduce((total, slice) => total + pick(slice), 0)
  const requests = sum((slice) => slice.requests)
  return {
    requests,
    requestsPerSecond: sum((slice) => slice.requestsPerSecond) / slices.length,
    p50Ms: spreadOf(slices.map(({ p50Ms }) => p50Ms)).median,
    p99Ms: spreadOf(slices.map(({ p99Ms }) => p99Ms)).median,
    bytesPerAnswer: sum((slice) => slice.bytesPerAnswer * slice.requests) / requests,
    processorMicrosPerRequest: sum((slice) => slice.processorMicrosPerRequest * slice.requests) / requests,
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
    const seen = await contender.load({ ...options, seconds: SLICE_SECONDS })
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
