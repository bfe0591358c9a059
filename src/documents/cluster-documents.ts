import { createBoundedMap } from '../lib/bounded-map.ts'
import type { Fault } from '../lib/fault.ts'
import type { Callers, OwnDocument } from './callers.ts'
import { createDocument, type Document, type DocumentDeps, type DocumentState } from './live-document.ts'

type WaitUntil = (promise: Promise<unknown>) => void
type Now<T> = T | Promise<T>

/** A document that goes for every cluster, and that a cluster may have of its own instead. */
export type ClusterDocuments<T> = (cluster: string, waitUntil: WaitUntil) => Now<DocumentState<T>>

/** More clusters than callers can name are not remembered. */
const CLUSTERS = { maxEntries: 2_000, maxWeight: 2_000 }

/**
 * Finds the document that decides for a cluster: `clusters/<cluster>/<name>` where there is, or ever was, one; else
 * `<name>`, unless the callers say that the cluster has its own.
 */
export function createClusterDocuments<T>(
  name: OwnDocument,
  parse: Parameters<typeof createDocument<T>>[1],
  known: { readonly document: Document<Callers>; readonly secret: Callers },
  deps: DocumentDeps,
): ClusterDocuments<T> {
  const shared = createDocument(name, parse, deps)
  const ofClusters = createBoundedMap<string, Document<T>>(CLUSTERS)

  function ofCluster(cluster: string): Document<T> {
    const known = ofClusters.get(cluster)
    if (known !== undefined) return known
    const document = createDocument(`clusters/${cluster}/${name}`, parse, deps)
    ofClusters.set(cluster, document, 1)
    return document
  }

  function choose(
    cluster: string,
    own: DocumentState<T>,
    fallback: DocumentState<T>,
    callers: DocumentState<Callers>,
  ): DocumentState<T> {
    if (own.source !== 'none') return own
    if ((callers.value ?? known.secret).own.get(cluster)?.has(name)) {
      const message = `is not there, and callers says that cluster ${cluster} has its own`
      return { ...own, source: 'unreadable', faults: [{ path: '', message }] }
    }
    if (own.faults.length === 0) return fallback
    // Neither whether it is there is certain, nor whether callers says that it is: then nothing stands in.
    if (callers.source === 'unreadable') return { ...own, source: 'unreadable' }
    return withFaults(fallback, own.faults, `clusters/${cluster}/${name}`)
  }

  return (cluster, waitUntil) => {
    const own = ofCluster(cluster).current(waitUntil)
    const fallback = shared.current(waitUntil)
    const callers = known.document.current(waitUntil)
    if (!(own instanceof Promise || fallback instanceof Promise || callers instanceof Promise)) {
      return choose(cluster, own, fallback, callers)
    }
    return Promise.all([own, fallback, callers]).then((loaded) => choose(cluster, ...loaded))
  }
}

/** A state together with what is not known of the document that would have replaced it. */
function withFaults<T>(state: DocumentState<T>, faults: readonly Fault[], key: string): DocumentState<T> {
  const named = faults.map(({ message }) => ({ path: '', message: `${key} ${message}` }))
  return { ...state, faults: [...state.faults, ...named] }
}
