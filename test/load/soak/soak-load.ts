import { keepBusy } from '../harness/keep-busy.ts'
import { type Connection, createConnection } from '../harness/raw-connection.ts'
import type { Ask } from './mix.ts'

/** What a load saw. Latencies in milliseconds, from the time that a request was due. */
export interface Seen {
  readonly answered: number
  readonly perSecond: number
  readonly latenciesMs: Float64Array
  readonly failures: readonly string[]
}

const MAX_FAILURES = 20
const MAX_WAITING = 20_000
const TICK_MS = 2

/** As fast as the webhook answers, on as many connections. */
export async function runClosed(url: string, next: () => Ask, options: { connections: number; seconds: number }) {
  const record = createRecord(1_000_000)
  const endsAtMs = performance.now() + options.seconds * 1000
  const goesOn = (): boolean => performance.now() < endsAtMs
  const seconds = await keepBusy(url, { connections: options.connections, goesOn }, (connection) =>
    record.take(next(), performance.now(), connection),
  )
  return record.seen(seconds)
}

/** At a rate that does not wait for answers: what is late counts as late. Ends early after twenty failures. */
export async function runOpen(
  url: string,
  next: () => Ask,
  options: { connections: number; seconds: number; perSecond: number; signal: AbortSignal },
) {
  const { connections, seconds, perSecond, signal } = options
  const record = createRecord(Math.ceil(seconds * perSecond) + 1)
  const idle = Array.from({ length: connections }, () => createConnection(url))
  const startedAtMs = performance.now()
  const under: Set<Promise<void>> = new Set()
  let due = 0
  let sent = 0
  while (sent < Math.floor(seconds * perSecond) && record.failures.length < MAX_FAILURES && !signal.aborted) {
    due = Math.min(Math.floor(((performance.now() - startedAtMs) * perSecond) / 1000), Math.floor(seconds * perSecond))
    if (due - sent > MAX_WAITING) record.failures.push(`${MAX_WAITING} requests wait for a connection`)
    for (let connection = idle.pop(); connection !== undefined; connection = sent < due ? idle.pop() : undefined) {
      const free = connection
      if (sent >= due) {
        idle.push(free)
        break
      }
      const dueAtMs = startedAtMs + (sent * 1000) / perSecond
      sent += 1
      const taking = record.take(next(), dueAtMs, free).finally(() => {
        idle.push(free)
        under.delete(taking)
      })
      under.add(taking)
    }
    await new Promise((done) => setTimeout(done, TICK_MS))
  }
  await Promise.all(under)
  for (const connection of idle) connection.close()
  return record.seen((performance.now() - startedAtMs) / 1000)
}

function createRecord(capacity: number) {
  const latenciesMs = new Float64Array(capacity)
  const failures: string[] = []
  let answered = 0
  return {
    failures,
    async take(ask: Ask, dueAtMs: number, connection: Connection): Promise<void> {
      const failure = ask.judge(await connection.exchange(ask.request))
      if (failure !== undefined && failures.length < MAX_FAILURES) failures.push(`${ask.kind}: ${failure}`)
      if (answered < capacity) latenciesMs[answered] = performance.now() - dueAtMs
      answered += 1
    },
    seen: (seconds: number): Seen => ({
      answered,
      perSecond: answered / seconds,
      latenciesMs: latenciesMs.subarray(0, Math.min(answered, capacity)).sort(),
      failures,
    }),
  }
}
