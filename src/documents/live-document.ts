import { toSha256 } from '../cache/fingerprint.ts'
import { BoundedMap } from '../lib/bounded-map.ts'
import { type Clock, type ExecutionCtx, settleBy } from '../lib/clock.ts'
import { type Fault, limitFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import { SingleFlight } from '../lib/single-flight.ts'
import { type ConfigRead, type DocumentState, NOTHING_READ, nextState, type StoredVersion } from './document-state.ts'
import type { DocumentParser } from './document-text.ts'
import type { LastGood, LastGoodStore } from './last-good-store.ts'

/** The namespace that administrators edit. */
export type ConfigNamespace = Pick<KVNamespace<string>, 'get'>

export interface DocumentDeps {
  readonly config: ConfigNamespace
  readonly lastGood: Pick<LastGoodStore, 'read' | 'write'>
  readonly clock: Clock
  /** Told once of each version that is not valid. */
  readonly onFaults: (key: string, digest: string, faults: readonly Fault[]) => void
}

const REFRESH_AFTER_MS = 30_000
/** After a load that could not read all that it needed, and after a load that has not ended. */
const RETRY_AFTER_MS = 2_000
/** A document that was not read for so long is read before a review is answered: the isolate was idle. */
const STALE_AFTER_MS = 45_000
/** The longest that a review waits for a document. */
const WAIT_MS = 500
/** A read that takes longer counts as failed until it ends; then it is used. Shorter than the wait of a review. */
const READ_TIMEOUT_MS = 450
/** The shortest that KV allows. With the refresh it keeps an edit below a minute. */
const EDGE_CACHE_SECONDS = 30
/** Versions that are not valid, so that each is parsed and reported once. */
const FAULTY = { maxEntries: 16, maxWeight: 16 }

interface Version {
  readonly text: string
  readonly digest: string
}

/**
 * One document of CONFIG in this isolate. It is read once, refreshed behind the answers, and is never worse than its last
 * good version. Waiting is bounded, reading is not: what KV answers late is used when it comes.
 */
export class LiveDocument<T> {
  readonly #key: string
  readonly #parse: DocumentParser<T>
  readonly #deps: DocumentDeps
  readonly #loads: SingleFlight<void>
  readonly #faulty = new BoundedMap<string, readonly Fault[]>(FAULTY)
  #state: DocumentState<T> | undefined
  #stored: Result<LastGood | undefined, 'unreadable' | 'spoilt'> = err('unreadable')
  /** A version that was in force and is not stored as the last good one yet. */
  #unsaved: Version | undefined
  #refreshAfterMs = REFRESH_AFTER_MS
  /** When the newest load started, and when the load started whose outcome is in force. */
  #triedAtMs = Number.NEGATIVE_INFINITY
  #loadedAtMs = Number.NEGATIVE_INFINITY
  #loadsStarted = 0
  #loadApplied = 0

  constructor(key: string, parse: DocumentParser<T>, deps: DocumentDeps) {
    this.#key = key
    this.#parse = parse
    this.#deps = deps
    this.#loads = new SingleFlight(deps.clock, 1)
  }

  /** The document now, without waiting. */
  get state(): DocumentState<T> {
    return this.#state ?? NOTHING_READ
  }

  /**
   * Reads the document again where that is due. The promise, if any, is what a review waits for: in a new isolate and
   * after idleness, for half a second at most.
   */
  refresh(ctx: ExecutionCtx): Promise<void> | undefined {
    const { clock } = this.#deps
    const nowMs = clock.now()
    const ageMs = nowMs - this.#loadedAtMs
    if (ageMs < this.#refreshAfterMs) return undefined
    // Bounded also for a request that starts the load again because the request that started it was cancelled.
    if (ageMs >= STALE_AFTER_MS) return settleBy(clock, nowMs + WAIT_MS, this.#shareLoad(ctx), () => undefined)
    if (nowMs - this.#triedAtMs >= RETRY_AFTER_MS) ctx.waitUntil(this.#shareLoad(ctx))
    return undefined
  }

  async #shareLoad(ctx: ExecutionCtx): Promise<void> {
    const deadlineMs = this.#deps.clock.now() + WAIT_MS
    await this.#loads.run({ key: this.#key, deadlineMs, ctx, call: () => this.#load(ctx) })
  }

  async #load(ctx: ExecutionCtx): Promise<void> {
    this.#loadsStarted += 1
    const load = { number: this.#loadsStarted, startedAtMs: this.#deps.clock.now() }
    this.#triedAtMs = load.startedAtMs
    const reading = this.#readConfig()
    // Both at the same time, so that a document without a valid version takes no longer.
    const storedRead = this.state.value === undefined ? this.#readStored(ctx) : undefined
    let isLate = false
    const inTime = await settleBy(this.#deps.clock, load.startedAtMs + READ_TIMEOUT_MS, reading, () => {
      isLate = true
      return { kind: 'unreadable' } as const
    })
    // What is valid, and what nothing can be said of, does not wait for CACHE.
    if (inTime.kind !== 'valid') await storedRead
    await this.#apply(load, inTime)
    const ended = isLate ? reading.then((late) => this.#apply(load, late)) : Promise.resolve()
    ctx.waitUntil(ended.then(() => this.#save(ctx, storedRead)))
  }

  async #apply(load: { readonly number: number; readonly startedAtMs: number }, read: ConfigRead<T>): Promise<void> {
    const stored = await this.#parseStored()
    // A load that started later has ended earlier, and knows more, unless all that it knows is that CONFIG is late.
    if (load.number < this.#loadApplied) return
    if (read.kind !== 'unreadable') this.#loadApplied = load.number
    if (read.kind === 'valid' && read.text !== undefined) this.#unsaved = { text: read.text, digest: read.digest }
    this.#loadedAtMs = load.startedAtMs
    this.#state = nextState(this.#state, read, stored, this.#deps.clock.now())
    const isComplete = read.kind !== 'unreadable' && (this.#state.value !== undefined || this.#stored.ok)
    this.#refreshAfterMs = isComplete ? REFRESH_AFTER_MS : RETRY_AFTER_MS
  }

  /** Never rejects. */
  async #readConfig(): Promise<ConfigRead<T>> {
    let text: string | null
    try {
      text = await this.#deps.config.get(this.#key, { type: 'text', cacheTtl: EDGE_CACHE_SECONDS })
    } catch {
      return { kind: 'unreadable' }
    }
    return text === null ? { kind: 'absent' } : this.#parseNewest({ text, digest: await toSha256(text) })
  }

  /** Each version is parsed once, and reported once if it is not valid. */
  async #parseNewest({ text, digest }: Version): Promise<ConfigRead<T>> {
    const { value, digest: inForce } = this.state
    if (value !== undefined && inForce === digest) return { kind: 'valid', value, digest }
    const known = this.#faulty.get(digest)
    if (known !== undefined) return { kind: 'faulty', faults: known }
    const parsed = await this.#parseText(text, digest)
    if (parsed.ok) return { kind: 'valid', value: parsed.value, digest, text }
    this.#faulty.set(digest, parsed.error, 1)
    this.#deps.onFaults(this.#key, digest, parsed.error)
    return { kind: 'faulty', faults: parsed.error }
  }

  async #parseText(text: string, digest: string): Promise<Result<T, readonly Fault[]>> {
    try {
      const parsed = await this.#parse(text, digest)
      return parsed.ok ? parsed : err(limitFaults(parsed.error))
    } catch {
      // Whatever a document does to the code that reads it, the version in force stays.
      return err([{ path: '', message: 'cannot be handled (a bug: please report it)' }])
    }
  }

  /** Reads the last good version into `#stored`. Never rejects; what comes late is used by the next load. */
  #readStored(ctx: ExecutionCtx): Promise<unknown> {
    const { clock, lastGood } = this.#deps
    const reading = lastGood.read(this.#key).then((stored) => {
      if (stored.ok || !this.#stored.ok) this.#stored = stored
      return stored
    })
    ctx.waitUntil(reading)
    return settleBy(clock, clock.now() + READ_TIMEOUT_MS, reading, () => undefined)
  }

  /** Parsed only while no version is in force. */
  async #parseStored(): Promise<StoredVersion<T>> {
    const stored = this.#stored
    if (!stored.ok || stored.value === undefined) return stored.ok ? ok(undefined) : stored
    const { text, digest, savedAtMs } = stored.value
    if (this.state.value !== undefined) return ok(undefined)
    const parsed = await this.#parseText(text, digest)
    return parsed.ok ? ok({ value: parsed.value, digest, savedAtMs }) : err('invalid')
  }

  /** Stores the version in force as the last good one, unless it is stored. A write that fails is tried at the next load. */
  async #save(ctx: ExecutionCtx, storedRead: Promise<unknown> | undefined): Promise<void> {
    const wanted = this.#unsaved
    if (wanted === undefined) return
    // Another isolate may have stored the same edit, and a key takes one write a second.
    await (storedRead ?? this.#readStored(ctx))
    const stored = this.#stored
    const isStored = stored.ok && stored.value?.digest === wanted.digest
    // What cannot be read may be newer; what is spoilt is replaced.
    if (!isStored && !stored.ok && stored.error === 'unreadable') return
    if (!isStored) {
      const version = { ...wanted, savedAtMs: this.#deps.clock.now() }
      if (!(await this.#deps.lastGood.write(this.#key, version))) return
      this.#stored = ok(version)
    }
    if (this.#unsaved === wanted) this.#unsaved = undefined
  }
}
