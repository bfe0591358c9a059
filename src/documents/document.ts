import { toHex } from '../cache/fingerprint.ts'
import { createSingleFlight } from '../cache/single-flight.ts'
import type { Fault } from '../fault.ts'
import { err, ok, type Result } from '../result.ts'
import { createDeadline, type StartTimer } from '../timer.ts'
import type { LastGood, LastGoodStore } from './last-good.ts'
import { parseDocumentText } from './parse-json.ts'

/** The namespace that administrators edit. */
export type ConfigNamespace = Pick<KVNamespace<string>, 'get'>

/** A document as it stands in this isolate. */
export interface DocumentState<T> {
  /** What is in force, if anything. */
  readonly value: T | undefined
  /**
   * Where that came from: the newest version in `CONFIG`, the last good one; `none`: there is none, and none is known
   * to have been (with a fault where that cannot be known now); `unreadable`: there is one, and nothing usable is known
   * of it, which must never be taken for `none`.
   */
  readonly source: 'config' | 'last-good' | 'none' | 'unreadable'
  /** SHA-256 of the text in force, hex. */
  readonly digest: string | undefined
  /** When the version in force was last seen in `CONFIG`, or saved as last good. */
  readonly seenAtMs: number
  /** Why the newest version in `CONFIG` is not in force; empty if it is. */
  readonly faults: readonly Fault[]
}

export interface DocumentDeps {
  readonly config: ConfigNamespace
  readonly lastGood: LastGoodStore
  readonly now: () => number
  readonly startTimer: StartTimer
  /** Told once for each version that does not hold. */
  readonly onFaults: (key: string, digest: string, faults: readonly Fault[]) => void
}

export interface Document<T> {
  /** The document now. Waits only the first time and after idleness; otherwise refreshes behind the answer. */
  current(waitUntil: (promise: Promise<unknown>) => void): DocumentState<T> | Promise<DocumentState<T>>
}

const REFRESH_AFTER_MS = 30_000
/** An isolate that slept must not answer by what was true before: its first review waits for the news, this long. */
const STALE_AFTER_MS = 45_000
const READ_TIMEOUT_MS = 500
/** The shortest that KV allows; on top of the refresh it keeps an edit below a minute. */
const EDGE_CACHE_SECONDS = 30
/** How long KV may go on serving an old version after a newer one was seen. */
const KV_LAG_MS = 120_000

/** One document of the namespace `CONFIG`: loaded once, refreshed in the background, never worse than the last good one. */
export function createDocument<T>(
  key: string,
  parse: (document: unknown, digest: string) => Result<T, readonly Fault[]>,
  deps: DocumentDeps,
): Document<T> {
  const loads = createSingleFlight<DocumentState<T>>({ now: deps.now, startTimer: deps.startTimer, maxFlights: 1 })
  let state: DocumentState<T> | undefined
  let triedAtMs = 0
  /** The newest text that was seen, whether it held or not. */
  let seen: { readonly digest: string; readonly faults: readonly Fault[] } | undefined
  /** What is stored as last good, as far as this isolate knows. */
  let stored: Result<LastGood | undefined, 'unreadable'> = err('unreadable')

  async function load(waitUntil: (promise: Promise<unknown>) => void): Promise<DocumentState<T>> {
    triedAtMs = deps.now()
    const learning = learnLastGood()
    // It is awaited below, but not where CONFIG fails first.
    learning.catch(() => undefined)
    const text = await readConfig(key, deps)
    if (text.ok && text.value !== null) {
      const digest = await sha256(text.value)
      const parsed = parseNewest(text.value, digest)
      if (parsed.ok) {
        const before = state?.digest
        state = { value: parsed.value, source: 'config', digest, seenAtMs: deps.now(), faults: [] }
        // Only what is not in force waits for the last good one: a slow CACHE must not hold up a good document.
        waitUntil(learning.then(() => save(text.value ?? '', digest, before)))
        return state
      }
      await learning
      state = fallBack(parsed.error)
      return state
    }
    await learning
    state = text.ok ? afterDeletion() : fallBack([{ path: '', message: 'cannot be read from CONFIG now' }])
    return state
  }

  async function learnLastGood(): Promise<void> {
    if (!stored.ok) stored = await readLastGood(key, deps)
  }

  /** Each version is parsed once, and reported once if it does not hold. */
  function parseNewest(text: string, digest: string): Result<T, readonly Fault[]> {
    if (digest === seen?.digest && seen.faults.length > 0) return err(seen.faults)
    if (state?.value !== undefined && state.digest === digest) return ok(state.value)
    const parsed = parseText(text, digest, parse)
    seen = { digest, faults: parsed.ok ? [] : parsed.error }
    if (!parsed.ok) deps.onFaults(key, digest, parsed.error)
    return parsed
  }

  /** Deleting is not an edit: what was there last stays in force. */
  function afterDeletion(): DocumentState<T> {
    seen = undefined
    const something = state?.value !== undefined || (stored.ok && stored.value !== undefined)
    if (something) return fallBack([{ path: '', message: 'was deleted, which is no edit; put {} to empty it' }])
    if (stored.ok) return { value: undefined, source: 'none', digest: undefined, seenAtMs: deps.now(), faults: [] }
    const faults = [{ path: '', message: 'is not there, and whether it ever was cannot be read from CACHE now' }]
    return { value: undefined, source: 'none', digest: undefined, seenAtMs: deps.now(), faults }
  }

  /** What this isolate had in force, else the last good one, else nothing. */
  function fallBack(faults: readonly Fault[]): DocumentState<T> {
    if (state?.value !== undefined) return { ...state, source: 'last-good', faults }
    const last = stored.ok ? stored.value : undefined
    const parsed = last && parseText(last.text, last.digest, parse)
    if (last && parsed?.ok) {
      return { value: parsed.value, source: 'last-good', digest: last.digest, seenAtMs: last.savedAtMs, faults }
    }
    return { value: undefined, source: 'unreadable', digest: undefined, seenAtMs: deps.now(), faults }
  }

  /**
   * Best effort, and not where KV may have served this isolate an older version than the stored one: then only what
   * replaces a version that this isolate had in force itself, or that is older than KV's lag, is believed to be newer.
   */
  async function save(text: string, digest: string, before: string | undefined): Promise<void> {
    const last = stored.ok ? stored.value : undefined
    if (!stored.ok || (last?.digest === digest && last.sealedByNewest)) return
    const savedAtMs = deps.now()
    const isNewer = last === undefined || last.digest === digest || last.digest === before
    if (!isNewer && savedAtMs - last.savedAtMs < KV_LAG_MS) return
    const document = { text, digest, savedAtMs }
    if ((await deps.lastGood.write(key, document)).ok) stored = ok({ ...document, sealedByNewest: true })
  }

  return {
    current(waitUntil) {
      const ageMs = deps.now() - triedAtMs
      if (state !== undefined && ageMs < REFRESH_AFTER_MS) return state
      const before = state
      const loading = loads.run({ key, budgetMs: READ_TIMEOUT_MS, waitUntil, call: () => load(waitUntil) })
      if (before !== undefined && ageMs < STALE_AFTER_MS) {
        waitUntil(loading)
        return before
      }
      return loading.then(
        (flight) => flight?.value ?? before ?? fallBack([{ path: '', message: 'cannot be read in time' }]),
      )
    },
  }
}

function parseText<T>(
  text: string,
  digest: string,
  parse: (document: unknown, digest: string) => Result<T, readonly Fault[]>,
): Result<T, readonly Fault[]> {
  const document = parseDocumentText(text)
  return document.ok ? parse(document.value, digest) : document
}

async function readConfig(
  key: string,
  { config, startTimer }: DocumentDeps,
): Promise<Result<string | null, 'unreadable'>> {
  return within(startTimer, async () => ok(await config.get(key, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })))
}

async function readLastGood(
  key: string,
  { lastGood, startTimer }: DocumentDeps,
): Promise<Result<LastGood | undefined, 'unreadable'>> {
  return within(startTimer, () => lastGood.read(key))
}

/** A read that is slow or fails says nothing about what is there. */
async function within<T>(
  startTimer: StartTimer,
  read: () => Promise<Result<T, 'unreadable'>>,
): Promise<Result<T, 'unreadable'>> {
  const deadline = createDeadline(READ_TIMEOUT_MS, startTimer)
  try {
    return await deadline.race(read(), () => err('unreadable'))
  } catch {
    return err('unreadable')
  } finally {
    deadline.clear()
  }
}

async function sha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
