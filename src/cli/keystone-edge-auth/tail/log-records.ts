import * as v from 'valibot'

const Review = v.object({
  event: v.literal('review'),
  kind: v.string(),
  decision: v.string(),
  reason: v.string(),
  cluster: v.string(),
  user: v.optional(v.string()),
  source: v.optional(v.string()),
  fingerprint: v.optional(v.string()),
  keystoneMs: v.optional(v.number(), 0),
  leftOut: v.optional(v.number(), 0),
  repeats: v.optional(v.number(), 0),
  ray: v.optional(v.string()),
})
const Caller = v.object({
  event: v.literal('caller'),
  reason: v.string(),
  cluster: v.optional(v.string()),
  pathCluster: v.optional(v.string()),
  address: v.optional(v.string()),
  repeats: v.optional(v.number(), 0),
})
const Problem = v.object({ event: v.literal('error'), code: v.string(), repeats: v.optional(v.number(), 0) })
const RecordSchema = v.variant('event', [Review, Caller, Problem])

/** A line that the Worker wrote (docs/operations.md), and when, where wrangler says so. */
export interface LogRecord {
  readonly record: v.InferOutput<typeof RecordSchema>
  readonly atMs?: number
}

/** An event of `wrangler tail --format json`: the lines of one request. */
const TailEvent = v.object({
  eventTimestamp: v.optional(v.nullable(v.number())),
  logs: v.array(v.object({ message: v.array(v.unknown()), timestamp: v.optional(v.number()) })),
})

/** More than the longest event of wrangler: an unfinished one is given up. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024

/**
 * The records in lines of `npm start`, of Workers Logs (one JSON object a line), or of `wrangler tail --format json`, which
 * spreads an event over lines from `{` to `}`. All else is skipped.
 */
export async function* readRecords(lines: AsyncIterable<string>): AsyncIterable<LogRecord> {
  let event: string[] | undefined
  let characters = 0
  for await (const line of lines) {
    if (line === '{') {
      event = [line]
      characters = 0
    } else if (event === undefined) yield* toRecords(line)
    else {
      event.push(line)
      characters += line.length
      if (line === '}') yield* toRecords(event.join('\n'))
      if (line === '}' || characters > MAX_EVENT_CHARACTERS) event = undefined
    }
  }
}

function toRecords(text: string): LogRecord[] {
  const value = parseJson(text)
  const event = v.safeParse(TailEvent, value)
  if (!event.success) return toRecord(value, undefined)
  return event.output.logs.flatMap(({ message, timestamp }) => {
    const [first] = message
    return toRecord(typeof first === 'string' ? parseJson(first) : first, timestamp ?? event.output.eventTimestamp)
  })
}

function toRecord(value: unknown, atMs: number | null | undefined): LogRecord[] {
  const parsed = v.safeParse(RecordSchema, value)
  return parsed.success ? [{ record: parsed.output, ...(typeof atMs === 'number' && { atMs }) }] : []
}

function parseJson(text: string): unknown {
  try {
    return text.startsWith('{') ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}
