import { readNumber } from '../harness/read-number.ts'
import type { Stage } from '../harness/stage.ts'
import { examineLog, type LogSummary } from '../harness/webhook-log.ts'
import { type Outcome, type RunOptions, runFuzz } from './fuzz-run.ts'
import { createWorld } from './world.ts'

/** A run with what it left in the log. */
interface Campaign extends Outcome {
  readonly log: LogSummary
}

/** Starts everything, sends all requests and reads the webhook's log. */
export async function runCampaign(stage: Stage, options: RunOptions): Promise<Campaign> {
  const world = await createWorld(stage)
  const outcome = await runFuzz(world, options, stage.signal)
  const log = await examineLog(world.webhook.logFile, [world.credential, ...world.tokens, ...world.deadTokens])
  return { ...outcome, log, faults: [...outcome.faults, ...log.faults] }
}

/** A new seed each time, unless one is given. */
export function readSeed(text: string | undefined): number {
  if (text === undefined || text === '') return Math.floor(Math.random() * 2 ** 31)
  return readNumber('FUZZ_SEED', text, { min: 0, max: Number.MAX_SAFE_INTEGER })
}
