import { createConnection, type Exchange } from './connection.ts'
import { readMemoryMib } from './memory.ts'
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

/** Sends every request and judges every answer. Stops early after twenty faults. */
export async function runFuzz(world: World, options: RunOptions): Promise<Outcome> {
  const { runs, seed, from } = options
  const port = Number(new URL(world.webhook.url).port)
  const [statuses, yeses]: Record<string, number>[] = [{}, {}]
  const [faults, memoryMib]: [string[], number[]] = [[], []]
  const startedAtMs = performance.now()
  let sent = 0
  let done = 0

  async function examine(index: number, request: HostileRequest, exchange: Exchange): Promise<void> {
    const fault = await judgeExchange(request, exchange, world)
    if (fault !== undefined) faults.push(`seed ${seed}, request ${index} (${request.kind}): ${fault}`)
    count(statuses, 'answer' in exchange ? exchange.answer.status : exchange.failure)
    const yes = 'answer' in exchange ? isYes(exchange.answer) : undefined
    if (yes !== undefined) count(yeses, yes)
  }

  async function work(): Promise<void> {
    const connection = createConnection(port)
    while (sent < runs && faults.length < MAX_FAULTS) {
      const index = from + sent++
      const request = makeRequest(seed, index, world)
      await examine(index, request, await connection.exchange(request))
      done += 1
      if (Math.floor((done * 10) / runs) > memoryMib.length) {
        memoryMib.push(readMemoryMib(world.webhook.pid))
        options.onTenth?.(memoryMib.length, memoryMib.at(-1) ?? 0)
      }
    }
    connection.close()
  }

  await Promise.all(Array.from({ length: options.connections }, work))
  const seconds = (performance.now() - startedAtMs) / 1000
  return { requests: done, seconds, statuses: statuses ?? {}, yeses: yeses ?? {}, memoryMib, faults }
}

async function judgeExchange(request: HostileRequest, exchange: Exchange, world: World): Promise<string | undefined> {
  if ('answer' in exchange) return findFault(request, exchange.answer, world)
  // A server may hang up on what is no HTTP. It answers 413 before it has read what is too large, and then hangs up: the
  // answer can be lost on the way.
  const mayBeClosed = request.broken || request.body.length > MAX_BODY_BYTES
  return mayBeClosed && exchange.failure === 'closed' ? undefined : `no answer: ${exchange.failure}`
}

function count(counts: Record<string, number> | undefined, key: string | number): void {
  if (counts !== undefined) counts[key] = (counts[key] ?? 0) + 1
}
