import * as v from 'valibot'
import { err, ok, type Result } from '../../../lib/result.ts'

/** A former version of a document. */
export interface Version {
  /** When another version replaced it, RFC 3339. */
  readonly replaced: string
  /** The SHA-256 of the text, as `/readyz` has it. */
  readonly digest: string
  readonly text: string
}

const VersionsSchema = v.array(v.object({ replaced: v.string(), digest: v.string(), text: v.string() }))

/** A value of KV is at most 25 MiB. */
const MAX_VERSIONS = 20
const MAX_CHARACTERS = 8 * 1024 * 1024

/** The key of the former versions of a document: in CONFIG, where the Worker reads no such key. */
export function historyKey(key: string): string {
  return `history/${key}`
}

/** The former versions, the last one first; none where the key has no value. */
export function readHistory(text: string | undefined): Result<readonly Version[], string> {
  if (text === undefined) return ok([])
  try {
    const parsed = v.safeParse(VersionsSchema, JSON.parse(text))
    return parsed.success ? ok(parsed.output) : err('holds something else than versions')
  } catch {
    return err('is not JSON')
  }
}

/** The history with one more version; the oldest go, and the newest always stays. */
export function addVersion(history: readonly Version[], version: Version): readonly Version[] {
  let characters = 0
  return [version, ...history].slice(0, MAX_VERSIONS).filter(({ text }, index) => {
    characters += text.length
    return index === 0 || characters <= MAX_CHARACTERS
  })
}
