import { createBoundedMap } from '../bounded-map.ts'
import type { Fault } from '../fault.ts'
import type { CompiledMapping } from '../identity/compiled-mapping.ts'
import { parseMapping } from '../identity/parse-mapping.ts'
import { err, ok, type Result } from '../result.ts'
import { type Callers, parseCallers } from './callers.ts'
import { createDocument, type Document, type DocumentDeps, type DocumentState } from './document.ts'

type WaitUntil = (promise: Promise<unknown>) => void

/** Why there is no mapping to go by. */
export type MappingMissing = { readonly reason: 'no_mapping' | 'documents' }

export type LoadedMapping = Result<CompiledMapping, MappingMissing>

/**
 * The documents of administrators, as they stand in this isolate. What is loaded is there without a promise: each one
 * that a warm review waits for costs it microseconds.
 */
export interface Documents {
  /** Those of the document together with those of the secret; the same object as long as nothing changed. */
  callers(waitUntil: WaitUntil): Callers | Promise<Callers>
  /** The mapping in force for a cluster: its own where there is, or ever was, one; else the shared one. */
  mapping(cluster: string, waitUntil: WaitUntil): LoadedMapping | Promise<LoadedMapping>
  /** The documents that decide for a cluster, for operators. */
  states(
    cluster: string,
    waitUntil: WaitUntil,
  ): Promise<Readonly<Record<'callers' | 'mapping', DocumentState<unknown>>>>
}

/** More clusters than callers can name are not remembered. */
const CLUSTERS = { maxEntries: 2_000, maxWeight: 2_000 }

/** Loads and keeps all documents. `secretCallers` come from the secret `CALLERS`, and are there even without CONFIG. */
export function createDocuments(homeDomain: string, secretCallers: Callers, deps: DocumentDeps): Documents {
  const parse = (document: unknown, digest: string) =>
    parseMapping(document, { digest: `${digest} ${homeDomain}`, homeDomain })
  const callers = createDocument('callers', (document) => parseCallers(document, secretCallers), deps)
  const shared = createDocument('mapping', parse, deps)
  const ofClusters = createBoundedMap<string, Document<CompiledMapping>>(CLUSTERS)

  function ofCluster(cluster: string): Document<CompiledMapping> {
    const known = ofClusters.get(cluster)
    if (known !== undefined) return known
    const document = createDocument(`clusters/${cluster}/mapping`, parse, deps)
    ofClusters.set(cluster, document, 1)
    return document
  }

  function currentCallers(waitUntil: WaitUntil): Callers | Promise<Callers> {
    const state = callers.current(waitUntil)
    return state instanceof Promise ? state.then(({ value }) => value ?? secretCallers) : (state.value ?? secretCallers)
  }

  function mappingState(
    cluster: string,
    waitUntil: WaitUntil,
  ): DocumentState<CompiledMapping> | Promise<DocumentState<CompiledMapping>> {
    const own = ofCluster(cluster).current(waitUntil)
    const fallback = shared.current(waitUntil)
    const known = currentCallers(waitUntil)
    if (!(own instanceof Promise || fallback instanceof Promise || known instanceof Promise)) {
      return choose(cluster, own, fallback, known)
    }
    return Promise.all([own, fallback, known]).then((loaded) => choose(cluster, ...loaded))
  }

  return {
    callers: currentCallers,
    mapping(cluster, waitUntil) {
      const state = mappingState(cluster, waitUntil)
      return state instanceof Promise ? state.then(toLoaded) : toLoaded(state)
    },
    async states(cluster, waitUntil) {
      const [ofCallers, ofMapping] = await Promise.all([callers.current(waitUntil), mappingState(cluster, waitUntil)])
      const isMissing = ofMapping.source === 'none' && ofMapping.faults.length === 0
      return { callers: ofCallers, mapping: isMissing ? { ...ofMapping, faults: [NO_MAPPING] } : ofMapping }
    },
  }
}

/** Without a mapping nobody can log in, which operators must not read as ready. */
const NO_MAPPING: Fault = { path: '', message: 'no mapping document; put {} for the defaults' }

/** A state together with what is not known of the document that would have replaced it. */
function withFaults<T>(state: DocumentState<T>, faults: readonly Fault[], key: string): DocumentState<T> {
  if (faults.length === 0) return state
  const named = faults.map(({ message }) => ({ path: '', message: `${key} ${message}` }))
  return { ...state, faults: [...state.faults, ...named] }
}

/** A cluster's own document where there is, or was, one; the shared one unless the cluster is known to have its own. */
function choose(
  cluster: string,
  own: DocumentState<CompiledMapping>,
  shared: DocumentState<CompiledMapping>,
  { own: ownDocuments }: Callers,
): DocumentState<CompiledMapping> {
  if (own.source !== 'none') return own
  if (!ownDocuments.get(cluster)?.has('mapping')) return withFaults(shared, own.faults, `clusters/${cluster}/mapping`)
  const message = `is not there, and callers says that cluster ${cluster} has its own`
  return { ...own, source: 'unreadable', faults: [{ path: '', message }] }
}

function toLoaded({ value, source, faults }: DocumentState<CompiledMapping>): LoadedMapping {
  if (value !== undefined) return ok(value)
  // Where it is not certain that there is none, nobody is advised to put one in its place.
  return err({ reason: source === 'none' && faults.length === 0 ? 'no_mapping' : 'documents' })
}
