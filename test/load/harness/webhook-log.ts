import { createReadStream } from 'node:fs'
import { countOne } from './statistics.ts'
import { TOKEN_TEXT } from './token-shapes.ts'

/** What a run left in the webhook's log. */
export interface LogSummary {
  readonly lines: number
  /** Operational events by code. */
  readonly events: Readonly<Record<string, number>>
  /** The first few that should not be there, without what a secret may be in. */
  readonly faults: readonly string[]
}

const MAX_FAULTS = 20

/** Reads a whole log: every line is an event of the known kinds, none is `unexpected`, and none holds a secret. */
export async function examineLog(file: string, secrets: readonly string[]): Promise<LogSummary> {
  const events: Record<string, number> = {}
  const faults: string[] = []
  let lines = 0
  for await (const line of linesOf(file)) {
    lines += 1
    const event = parseEvent(line)
    const code = event?.event === 'error' ? String(event.code) : undefined
    if (code !== undefined) countOne(events, code)
    const fault = findFault(line, event, code, secrets)
    if (fault !== undefined && faults.length < MAX_FAULTS) faults.push(`log line ${lines}: ${fault}`)
  }
  return { lines, events, faults }
}

function findFault(
  line: string,
  event: Readonly<Record<string, unknown>> | undefined,
  code: string | undefined,
  secrets: readonly string[],
): string | undefined {
  if (TOKEN_TEXT.test(line) || secrets.some((secret) => line.includes(secret))) return 'a secret'
  if (event === undefined) return `not an event: ${line.slice(0, 200)}`
  return code === 'unexpected' ? line.slice(0, 500) : undefined
}

function parseEvent(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return typeof event === 'object' && event !== null && 'event' in event ? { ...event } : undefined
  } catch {
    return undefined
  }
}

// Not with node:readline, for which U+2028 ends a line: JSON writes it as it is.
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const part of createReadStream(file, 'utf8')) {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
