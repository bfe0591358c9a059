import { type StartTimer, withinTime } from '../lib/clock.ts'
import { err, type Result } from '../lib/result.ts'
import type { LastGood, LastGoodStore } from './last-good-store.ts'

/** What an isolate knows of the last good version of one document, and does to keep it stored. */
export interface LastGoodKeeper {
  /** What is stored, as far as this isolate knows; an error as long as it could never be read. */
  known(): Result<LastGood | undefined, 'unreadable' | 'spoilt'>
  /** Reads it. Never rejects, ends within `timeoutMs`; what cannot be read now does not make known things unknown. */
  learn(): Promise<void>
  /** A version that holds and is in force; `before` is the digest of the one that it replaced in this isolate. */
  offer(version: { readonly text: string; readonly digest: string }, before: string | undefined): void
  /** Stores what was offered, unless it is stored already. Best effort: what fails is tried again by the next call. */
  save(): Promise<void>
}

export interface LastGoodKeeperDeps {
  readonly lastGood: LastGoodStore
  readonly now: () => number
  readonly startTimer: StartTimer
  readonly timeoutMs: number
}

type Version = Omit<LastGood, 'sealedByNewest'> & { readonly before?: string | undefined }

/** How long KV may go on serving an old version after a newer one was seen. */
const KV_LAG_MS = 120_000

export function createLastGoodKeeper(key: string, deps: LastGoodKeeperDeps): LastGoodKeeper {
  let stored: Result<LastGood | undefined, 'unreadable' | 'spoilt'> = err('unreadable')
  let unsaved: Version | undefined

  async function read(): Promise<typeof stored> {
    try {
      const reading = (): Promise<typeof stored> => deps.lastGood.read(key)
      const answer = await withinTime(deps.timeoutMs, deps.startTimer, reading, () => err('unreadable'))
      if (answer.ok || !stored.ok) stored = answer
      return answer
    } catch {
      return err('unreadable')
    }
  }

  /** Whether nothing is to be done for a version that is in force. */
  function isStored({ digest }: Version, last: typeof stored): boolean {
    return last.ok && last.value?.digest === digest && last.value.sealedByNewest
  }

  /**
   * KV may have served this isolate an older version than the stored one. So only what replaces a version that this
   * isolate had in force itself, or that is older than KV's lag, is believed to be newer.
   */
  function isNewer({ digest, before, savedAtMs }: Version, last: LastGood | undefined): boolean {
    if (last === undefined || last.digest === digest || last.digest === before) return true
    return savedAtMs - last.savedAtMs >= KV_LAG_MS
  }

  return {
    known: () => stored,
    learn: async () => void (await read()),
    offer({ text, digest }, before) {
      const known = unsaved?.digest === digest ? unsaved.before : before
      unsaved = { text, digest, savedAtMs: deps.now(), before: known }
    },
    async save() {
      // Sealed under an older cache key it would be lost with that key, even if nobody ever edits the document again.
      const wanted = unsaved ?? (stored.ok && stored.value?.sealedByNewest === false ? stored.value : undefined)
      if (wanted === undefined) return
      // Other isolates save the same edit: what they have written is seen first, as a key takes one write a second.
      const last = isStored(wanted, stored) ? stored : await read()
      if (isStored(wanted, last)) {
        if (unsaved === wanted) unsaved = undefined
        return
      }
      // Something that opens nowhere is no last good version, and would never become one by itself.
      if (!last.ok && last.error === 'unreadable') return
      if (!isNewer(wanted, last.ok ? last.value : undefined)) return
      const { text, digest, savedAtMs } = wanted
      if (!(await deps.lastGood.write(key, { text, digest, savedAtMs })).ok) return
      stored = { ok: true, value: { text, digest, savedAtMs, sealedByNewest: true } }
      if (unsaved === wanted) unsaved = undefined
    },
  }
}
