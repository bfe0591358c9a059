import { createBoundedMap } from '../bounded-map.ts'
import type { CompiledMapping } from '../identity/compiled-mapping.ts'
import { parseMapping } from '../identity/parse-mapping.ts'
import { err, ok, type Result } from '../result.ts'
import { type Callers, parseCallers } from './callers.ts'
import { createDocument, type Document, type DocumentDeps, type DocumentState } from './document.ts'

type WaitUntil = (promise: Promise<unknown>) => void

/** Why there is no mapping to go by. */
export type MappingMissing = { readonly reason: 'no_mapping' | 'documents' }

/** The documents of administrators, as they stand in this isolate. Nothing here waits once loaded. */
export interface Documents {
  /** Those of the document together with those of the secret; the same object as long as nothing changed. */
  callers(waitUntil: WaitUntil): Promise<Callers>
  /** The mapping in force for a cluster: its own where there is, or ever was, one; else the shared one. */
  mapping(cluster: string, waitUntil: WaitUntil): Promise<Result<CompiledMapping, MappingMissing>>
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

  async function currentCallers(waitUntil: WaitUntil): Promise<Callers> {
    return (await callers.current(waitUntil)).value ?? secretCallers
  }

  async function mappingState(cluster: string, waitUntil: WaitUntil): Promise<DocumentState<CompiledMapping>> {
    const [own, fallback, known] = await Promise.all([
      ofCluster(cluster).current(waitUntil),
      shared.current(waitUntil),
      currentCallers(waitUntil),
    ])
    if (own.source !== 'none') return own
    if (!known.own.get(cluster)?.has('mapping')) return fallback
    const message = `is not there, and callers says that cluster ${cluster} has its own`
    return { ...own, source: 'unreadable', faults: [{ path: '', message }] }
  }

  return {
    callers: currentCallers,
    async mapping(cluster, waitUntil) {
      const { value, source } = await mappingState(cluster, waitUntil)
      return value === undefined ? err({ reason: source === 'none' ? 'no_mapping' : 'documents' }) : ok(value)
    },
    async states(cluster, waitUntil) {
      const [ofCallers, ofMapping] = await Promise.all([callers.current(waitUntil), mappingState(cluster, waitUntil)])
      return { callers: ofCallers, mapping: ofMapping }
    },
  }
}
