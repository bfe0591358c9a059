import type { Stage } from '../bench/stage.ts'
import { examineLog, type LogSummary } from './log.ts'
import { type Outcome, type RunOptions, runFuzz } from './run.ts'
import { createWorld } from './world.ts'

/** A run with what it left in the log. */
export interface Campaign extends Outcome {
  readonly log: LogSummary
}

/** Starts everything, sends all requests, ends the webhook and reads its log. */
export async function runCampaign(stage: Stage, options: RunOptions): Promise<Campaign> {
  const world = await createWorld(stage)
  const outcome = await runFuzz(world, options)
  const log = await examineLog(world.webhook.logFile, [world.credential, ...world.tokens, ...world.deadTokens])
  return { ...outcome, log, faults: [...outcome.faults, ...log.faults] }
}

/** A new seed each time, unless one is given. */
export function readSeed(text: string | undefined): number {
  return text === undefined || text === '' ? Math.floor(Math.random() * 2 ** 31) : Number(text)
}
