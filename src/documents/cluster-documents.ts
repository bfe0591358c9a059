import { BoundedMap } from '../lib/bounded-map.ts'
import type { ExecutionCtx } from '../lib/clock.ts'
import type { Fault } from '../lib/fault.ts'
import { ok, type Result } from '../lib/result.ts'
import type { OwnDocument } from './callers.ts'
import type { CallersDocument } from './callers-document.ts'
import { type DocumentState, inForce } from './document-state.ts'
import type { DocumentParser } from './document-text.ts'
import { type DocumentDeps, LiveDocument } from './live-document.ts'

/** Callers can name no more clusters than this; sizes are in half KiB, of the 128 MB that an isolate has. */
const CLUSTERS = { maxEntries: 2_000, maxWeight: 32_000 }

/** A document's value, which says how much memory it takes, in half KiB. */
interface Sized {
  readonly size: number
}

/** The text by which a cluster that had a document of its own goes back to the shared one. */
const SHARED_TEXT = '"shared"'
const SHARED = Symbol('shared')
type OwnOrShared<T> = T | typeof SHARED

/**
 * A document that holds for every cluster, and that a cluster may replace by its own: `clusters/<cluster>/<name>` where
 * there is, or ever was, such a document and its text is not `"shared"`; else `<name>`, unless the callers say that the cluster
 * has its own.
 */
export class ClusterDocuments<T extends Sized> {
  readonly #name: OwnDocument
  readonly #parse: DocumentParser<T>
  readonly #callers: CallersDocument
  readonly #deps: DocumentDeps
  readonly #shared: LiveDocument<T>
  readonly #ofClusters = new BoundedMap<string, LiveDocument<OwnOrShared<T>>>(CLUSTERS)

  constructor(name: OwnDocument, parse: DocumentParser<T>, callers: CallersDocument, deps: DocumentDeps) {
    this.#name = name
    this.#parse = parse
    this.#callers = callers
    this.#deps = deps
    this.#shared = new LiveDocument(name, parse, deps)
  }

  /** See `LiveDocument.refresh`; of both documents. The callers are refreshed when they are identified. */
  refresh(cluster: string, ctx: ExecutionCtx): Promise<unknown> | undefined {
    const own = this.#ofCluster(cluster).refresh(ctx)
    const shared = this.#shared.refresh(ctx)
    return own || shared ? Promise.all([own, shared]) : undefined
  }

  /** What decides for the cluster now. `none` only where it is certain that there is no document. */
  inForce(cluster: string): Result<T, 'none' | 'unreadable'> {
    return inForce(this.state(cluster))
  }

  /** The document that decides for the cluster now. */
  state(cluster: string): DocumentState<T> {
    const own = this.#ofCluster(cluster).state
    if (!isOwn(own)) return withFaults(this.#shared.state, own.faults, `clusters/${cluster}/${this.#name}`)
    if (own.source !== 'none') return own
    if (this.#callers.inForce().own.get(cluster)?.has(this.#name)) {
      const message = `is not there, and callers says that cluster ${cluster} has its own`
      return { ...own, source: 'unreadable', faults: [{ path: '', message }] }
    }
    if (own.faults.length === 0) return this.#shared.state
    // Neither is it certain whether the document exists, nor whether callers says so: then nothing replaces it.
    if (this.#callers.state.source === 'unreadable') return { ...own, source: 'unreadable' }
    return withFaults(this.#shared.state, own.faults, `clusters/${cluster}/${this.#name}`)
  }

  #ofCluster(cluster: string): LiveDocument<OwnOrShared<T>> {
    const known = this.#ofClusters.get(cluster)
    if (known !== undefined) return known
    const document: LiveDocument<OwnOrShared<T>> = new LiveDocument<OwnOrShared<T>>(
      `clusters/${cluster}/${this.#name}`,
      async (text, digest) => {
        if (text.trim() === SHARED_TEXT) return ok(SHARED)
        const parsed = await this.#parse(text, digest)
        if (parsed.ok) this.#ofClusters.set(cluster, document, 1 + parsed.value.size)
        return parsed
      },
      this.#deps,
    )
    this.#ofClusters.set(cluster, document, 1)
    return document
  }
}

function isOwn<T>(state: DocumentState<OwnOrShared<T>>): state is DocumentState<T> {
  return state.value !== SHARED
}

/** A state together with what is not known of the document that would have replaced it. */
function withFaults<T>(state: DocumentState<T>, faults: readonly Fault[], key: string): DocumentState<T> {
  if (faults.length === 0) return state
  const named = faults.map(({ message }) => ({ path: '', message: `${key} ${message}` }))
  return { ...state, faults: [...state.faults, ...named] }
}
