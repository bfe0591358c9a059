import { keepBusy } from '../harness/keep-busy.ts'
import { readMemoryMib } from '../harness/process-usage.ts'
import type { Exchange } from '../harness/raw-connection.ts'
import { countOne } from '../harness/statistics.ts'
import { findFault, isYes } from './oracle.ts'
import { type HostileRequest, makeRequest } from './requests.ts'
import type { World } from './world.ts'

export interface RunOptions {
  readonly runs: number
  readonly seed: number
  /** Number of the first request; another than 0 makes the later ones of a longer run again. */
  readonly from: number
  readonly connections: number
  readonly onTenth?: (tenth: number, memoryMib: number) => void
}

/** What came of a run. */
export interface Outcome {
  readonly requests: number
  readonly seconds: number
  /** Answers by status; `closed` is a connection that the server closed on broken HTTP. */
  readonly statuses: Readonly<Record<string, number>>
  readonly yeses: Readonly<Record<string, number>>
  /** Resident memory of the webhook's process after each tenth. */
  readonly memoryMib: readonly number[]
  /** The first few, each with the number of its request. */
  readonly faults: readonly string[]
}

const MAX_FAULTS = 20
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Sends every request and judges every answer. Stops early after twenty faults; rejects when the signal is aborted. */
export async function runFuzz(world: World, options: RunOptions, signal: AbortSignal): Promise<Outcome> {
  const { runs, seed, from, connections } = options
  const [statuses, yeses]: [Record<string, number>, Record<string, number>] = [{}, {}]
  const [faults, memoryMib]: [string[], number[]] = [[], []]
  let sent = 0
  let done = 0

  function noteTenth(): void {
    if (Math.floor((done * 10) / runs) <= memoryMib.length) return
    const nowMib = readMemoryMib(world.webhook.pid)
    memoryMib.push(nowMib)
    options.onTenth?.(memoryMib.length, nowMib)
  }

  function goesOn(): boolean {
    signal.throwIfAborted()
    return sent < runs && faults.length < MAX_FAULTS
  }

  const seconds = await keepBusy(world.webhook.url, { connections, goesOn }, async (connection) => {
    const index = from + sent++
    const request = makeRequest(seed, index, world)
    const exchange = await connection.exchange(request)
    const fault = await judgeExchange(request, exchange, world)
    if (fault !== undefined) faults.push(`seed ${seed}, request ${index} (${request.kind}): ${fault}`)
    countOne(statuses, 'answer' in exchange ? exchange.answer.status : exchange.failure)
    const yes = 'answer' in exchange ? isYes(exchange.answer) : undefined
    if (yes !== undefined) countOne(yeses, yes)
    done += 1
    noteTenth()
  })
  return { requests: done, seconds, statuses, yeses, memoryMib, faults }
}

async function judgeExchange(request: HostileRequest, exchange: Exchange, world: World): Promise<string | undefined> {
  if ('answer' in exchange) return findFault(request, exchange.answer, world)
  // A server may hang up on what is no HTTP. It answers 413 before it has read what is too large, and then hangs up: the
  // answer can be lost on the way.
  const mayBeClosed = request.broken || request.body.length > MAX_BODY_BYTES
  return mayBeClosed && exchange.failure === 'closed' ? undefined : `no answer: ${exchange.failure}`
}
