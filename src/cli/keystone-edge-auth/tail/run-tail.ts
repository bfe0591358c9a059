import type { CommandContext } from '../context.ts'
import { createPaint, note, printLines } from '../output.ts'
import { tidy } from '../tidy.ts'
import { type LogRecord, readRecords } from './log-records.ts'
import { findReason } from './reasons.ts'

export interface TailFlags {
  readonly file?: string
  readonly cluster?: string
  readonly user?: string
  readonly denied: boolean
  readonly explain: boolean
  readonly output: 'text' | 'jsonl'
}

/** Runs `tail`: the reviews as they happen, one line each. Ends with the input, or by Ctrl-C. */
export default async function tail(this: CommandContext, flags: TailFlags): Promise<void> {
  const purpose = 'the log cannot be read'
  const lines =
    flags.file === undefined ? this.wranglerLines(['tail', '--format', 'json'], purpose) : this.files.lines(flags.file)
  if (flags.file === undefined) note(this, 'waiting for reviews; Ctrl-C ends it')
  for await (const found of readRecords(lines)) {
    if (!isWanted(found.record, flags)) continue
    printLines(this, flags.output === 'jsonl' ? [JSON.stringify(found.record)] : describe(this, found, flags.explain))
  }
}

type Line = LogRecord['record']

/** `--denied` keeps what is not let in: refusals, "cannot tell", refused callers and errors. */
function isWanted(record: Line, { cluster, user, denied }: TailFlags): boolean {
  if (cluster !== undefined && !('cluster' in record && record.cluster === cluster)) return false
  if (user !== undefined && !('user' in record && record.user === user)) return false
  return !denied || record.event !== 'review' || record.decision === 'deny' || record.decision === 'unknown'
}

const STYLES: Readonly<{ [decision: string]: 'green' | 'red' | 'yellow' }> = {
  allow: 'green',
  deny: 'red',
  unknown: 'red',
}

function describe(context: CommandContext, { record, atMs }: LogRecord, explain: boolean): string[] {
  const paint = createPaint(context)
  const time = atMs === undefined ? '' : `${new Date(atMs).toISOString()} `
  const repeats = record.repeats > 0 ? `, and ${record.repeats} more` : ''
  if (record.event === 'error') return [`${time}${paint('red', 'error')} ${tidy(record.code)}${repeats}`]
  if (record.event === 'caller') {
    const path = record.pathCluster === undefined ? '' : `, path of ${record.pathCluster}`
    const from = record.address === undefined ? '' : ` from ${record.address}`
    const who = record.cluster ?? 'nobody known'
    return [`${time}${paint('red', 'caller refused')} ${tidy(`${who}: ${record.reason}${path}${from}`)}${repeats}`]
  }
  const { decision, reason, cluster, kind, user, source, keystoneMs, leftOut } = record
  const about = [
    kind === 'TokenReview' ? 'login' : 'request',
    ...(source === undefined ? [] : [`from ${source}`]),
    ...(keystoneMs > 0 ? [`${keystoneMs} ms at Keystone`] : []),
    ...(leftOut > 0 ? [`${leftOut} groups left out`] : []),
    ...(record.fingerprint === undefined ? [] : [`token ${record.fingerprint}`]),
  ].join(', ')
  const who = user === undefined ? 'nobody' : user
  const line = `${time}${tidy(cluster)} ${paint(STYLES[decision] ?? 'yellow', tidy(decision))} ${tidy(who)}: ${tidy(reason)} (${tidy(about)})${repeats}`
  return [line, ...(explain ? explainReason(decision, reason) : [])]
}

function explainReason(decision: string, reason: string): string[] {
  const row = findReason(decision, reason)
  if (row === undefined) return ['  a reason that this release does not know']
  return [`  ${row.meaning}`, ...(row.remedy === '' ? [] : [`  what to do: ${row.remedy}`])]
}
