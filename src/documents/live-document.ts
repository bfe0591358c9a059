import { toHex } from '../cache/fingerprint.ts'
import { createBoundedMap } from '../lib/bounded-map.ts'
import { type StartTimer, withinTime } from '../lib/clock.ts'
import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import { createLastGoodKeeper } from './last-good-keeper.ts'
import type { LastGoodStore } from './last-good-store.ts'
import { limitFaults } from './limit-faults.ts'

type WaitUntil = (promise: Promise<unknown>) => void

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

/** Reads the value of a document from its text (`ofJson` for one in JSON); `digest` names its version. */
export type DocumentParser<T> = (text: string, digest: string) => Result<T, readonly Fault[]>

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
  current(waitUntil: WaitUntil): DocumentState<T> | Promise<DocumentState<T>>
}

const REFRESH_AFTER_MS = 30_000
/** After a refresh that could not read all it needed. Behind the answers, as all refreshes. */
const RETRY_AFTER_MS = 2_000
/** An isolate that slept must not answer by what was true before: its first reviews wait for the news, this long. */
const STALE_AFTER_MS = 45_000
const WAIT_MS = 500
/** Shorter than the wait, so that what one namespace can tell is known before the time is up for the other. */
const READ_TIMEOUT_MS = 450
/** The shortest that KV allows; on top of the refresh it keeps an edit below a minute. */
const EDGE_CACHE_SECONDS = 30
/** Versions that do not hold and are remembered as such. */
const BROKEN = { maxEntries: 16, maxWeight: 16 }
const DELETED: Fault = { path: '', message: 'was deleted, which is no edit; put {} to empty it' }
const NOT_READ: Fault = { path: '', message: 'cannot be read from CONFIG now' }

/** One document of the namespace `CONFIG`: loaded once, refreshed in the background, never worse than the last good one. */
export function createDocument<T>(key: string, parse: DocumentParser<T>, deps: DocumentDeps): Document<T> {
  const loads = createSingleFlight<DocumentState<T>>({ now: deps.now, startTimer: deps.startTimer, maxFlights: 1 })
  const lastGood = createLastGoodKeeper(key, { ...deps, timeoutMs: READ_TIMEOUT_MS })
  const broken = createBoundedMap<string, readonly Fault[]>(BROKEN)
  let state: DocumentState<T> | undefined
  /** When the newest load began, and when the one that `state` comes from did: one that was cancelled never ends. */
  let triedAtMs = Number.NEGATIVE_INFINITY
  let loadedAtMs = Number.NEGATIVE_INFINITY
  let refreshAfterMs = REFRESH_AFTER_MS
  /** When the version in force came into force here, or was saved as last good. */
  let adoptedAtMs = Number.NEGATIVE_INFINITY
  /** Whether there was a text in CONFIG, holding or not, when that could last be read. */
  let present: boolean | undefined
  let started = 0
  let applied = 0

  async function load(waitUntil: WaitUntil): Promise<DocumentState<T>> {
    const turn = ++started
    const startedAtMs = deps.now()
    triedAtMs = startedAtMs
    // Where the newest version in CONFIG was in force until just now, it most likely still is; `save` looks for itself.
    const isFresh = state?.source === 'config' && startedAtMs - loadedAtMs < STALE_AFTER_MS
    let learning = isFresh && lastGood.known().ok ? undefined : lastGood.learn()
    const newest = await readConfig(key, deps)
    const text = newest.ok ? newest.value : undefined
    const parsed = text && parseNewest(text)
    if (newest.ok && turn > applied) present = text !== undefined
    // Only what is not in force waits for the last good one: a slow CACHE must not hold up a good document.
    if (!parsed?.ok) {
      learning ??= lastGood.learn()
      await learning
    }
    // This one took so long that a later one has been faster, and knows more.
    if (turn < applied) return state ?? fallBack([NOT_READ])
    applied = turn
    loadedAtMs = startedAtMs
    if (text && parsed?.ok) {
      lastGood.offer(text, state?.digest)
      if (state?.digest !== text.digest) adoptedAtMs = startedAtMs
      state = { value: parsed.value, source: 'config', digest: text.digest, seenAtMs: deps.now(), faults: [] }
    } else if (parsed?.ok === false) state = fallBack(parsed.error)
    else state = newest.ok ? afterDeletion() : afterFailure()
    const knowsAll = newest.ok && (state.value !== undefined || lastGood.known().ok)
    refreshAfterMs = knowsAll ? REFRESH_AFTER_MS : RETRY_AFTER_MS
    waitUntil((learning ?? Promise.resolve()).then(lastGood.save))
    return state
  }

  /** Each version is parsed once, and reported once if it does not hold. */
  function parseNewest({ text, digest }: Version): Result<T, readonly Fault[]> {
    if (state?.value !== undefined && state.digest === digest) return ok(state.value)
    const known = broken.get(digest)
    if (known !== undefined) return err(known)
    const parsed = parseText(text, digest, parse)
    if (!parsed.ok) {
      broken.set(digest, parsed.error, 1)
      deps.onFaults(key, digest, parsed.error)
    }
    return parsed
  }

  function hasLastGood(): boolean {
    const known = lastGood.known()
    return known.ok && known.value !== undefined
  }

  /** Deleting is not an edit: what was there last stays in force. */
  function afterDeletion(): DocumentState<T> {
    const known = lastGood.known()
    if (state?.value !== undefined || hasLastGood()) return fallBack([DELETED])
    if (known.ok) return { value: undefined, source: 'none', digest: undefined, seenAtMs: deps.now(), faults: [] }
    const faults = [{ path: '', message: 'is not there, and whether it ever was cannot be read from CACHE now' }]
    return { value: undefined, source: 'none', digest: undefined, seenAtMs: deps.now(), faults }
  }

  /**
   * A refresh that fails changes nothing: where there was no document there still is none. Nor is there one for a new
   * isolate where CACHE knows of none, or an outage of CONFIG would end every last good shared document as well.
   */
  function afterFailure(): DocumentState<T> {
    const known = lastGood.known()
    const something = state?.value !== undefined || hasLastGood() || present === true
    if (something || (present === undefined && !known.ok)) return fallBack([NOT_READ])
    return {
      value: undefined,
      source: 'none',
      digest: undefined,
      seenAtMs: state?.seenAtMs ?? deps.now(),
      faults: [NOT_READ],
    }
  }

  /** The newer of what this isolate had in force and the last good one, else nothing. */
  function fallBack(faults: readonly Fault[]): DocumentState<T> {
    const known = lastGood.known()
    const last = known.ok ? known.value : undefined
    const isNews = last !== undefined && last.digest !== state?.digest && last.savedAtMs > adoptedAtMs
    if (state?.value !== undefined && !isNews) return { ...state, source: 'last-good', faults }
    const parsed = last && parseText(last.text, last.digest, parse)
    if (last && parsed?.ok) {
      adoptedAtMs = last.savedAtMs
      return { value: parsed.value, source: 'last-good', digest: last.digest, seenAtMs: last.savedAtMs, faults }
    }
    if (state?.value !== undefined) return { ...state, source: 'last-good', faults }
    return { value: undefined, source: 'unreadable', digest: undefined, seenAtMs: deps.now(), faults }
  }

  function refresh(waitUntil: WaitUntil): Promise<DocumentState<T> | undefined> {
    const flight = loads.run({ key, budgetMs: WAIT_MS, waitUntil, call: () => load(waitUntil) })
    return flight.then((landed) => landed?.value)
  }

  /** Bounded also for who leads a load after waiting for one that was cancelled. */
  async function waitForNews(waitUntil: WaitUntil): Promise<DocumentState<T>> {
    const news = await withinTime(
      WAIT_MS,
      deps.startTimer,
      () => refresh(waitUntil),
      () => undefined,
    )
    return news ?? afterFailure()
  }

  return {
    current(waitUntil) {
      const now = deps.now()
      const ageMs = now - loadedAtMs
      if (state === undefined || ageMs >= STALE_AFTER_MS) return waitForNews(waitUntil)
      if (ageMs >= refreshAfterMs && now - triedAtMs >= RETRY_AFTER_MS) waitUntil(refresh(waitUntil))
      return state
    },
  }
}

function parseText<T>(text: string, digest: string, parse: DocumentParser<T>): Result<T, readonly Fault[]> {
  try {
    const parsed = parse(text, digest)
    return parsed.ok ? parsed : err(limitFaults(parsed.error))
  } catch {
    // Whatever a document does to the code that reads it, the last good one stays in force.
    return err([{ path: '', message: 'cannot be handled (a bug: please report it)' }])
  }
}

/** A version as it was written, and the SHA-256 of its text. */
interface Version {
  readonly text: string
  readonly digest: string
}

/** A read that is slow or fails says nothing about what is there. */
async function readConfig(
  key: string,
  { config, startTimer }: DocumentDeps,
): Promise<Result<Version | undefined, 'unreadable'>> {
  try {
    const reading = (): Promise<string | null | undefined> =>
      config.get(key, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
    const text = await withinTime(READ_TIMEOUT_MS, startTimer, reading, () => undefined)
    if (text === undefined) return err('unreadable')
    return ok(text === null ? undefined : { text, digest: await sha256(text) })
  } catch {
    return err('unreadable')
  }
}

async function sha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
