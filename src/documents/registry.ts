import { type PublicKey, parsePublicKeys } from '../keystone/public-keys.ts'
import type { Fault } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'
import type { CompiledMapping } from '../mapping/compiled-mapping.ts'
import { parseMapping } from '../mapping/parse-mapping.ts'
import { type ParsedPolicy, parsePolicy } from '../policy/parse-policy.ts'
import { type Callers, parseCallers } from './callers.ts'
import { createClusterDocuments } from './cluster-documents.ts'
import { ofJson } from './document-text.ts'
import { limitFaults } from './limit-faults.ts'
import { createDocument, type DocumentDeps, type DocumentState } from './live-document.ts'

type WaitUntil = (promise: Promise<unknown>) => void

/** Why there is no mapping or policy to go by: there never was one, or nothing usable is known of it. */
export type DocumentMissing = 'none' | 'unreadable'

export type Loaded<T> = Result<T, DocumentMissing>

/** A state for operators: with what in the document holds, and yet can never grant anything. */
export type ReportedState = DocumentState<unknown> & { readonly inert?: readonly Fault[] }

/**
 * The documents of administrators, as they stand in this isolate. What is loaded is there without a promise: each one
 * that a warm review waits for costs it microseconds.
 */
export interface Documents {
  /** Those of the document together with those of the secret; the same object as long as nothing changed. */
  callers(waitUntil: WaitUntil): Callers | Promise<Callers>
  /** The mapping in force for a cluster. */
  mapping(cluster: string, waitUntil: WaitUntil): Loaded<CompiledMapping> | Promise<Loaded<CompiledMapping>>
  /** The policy in force for a cluster. */
  policy(cluster: string, waitUntil: WaitUntil): Loaded<ParsedPolicy> | Promise<Loaded<ParsedPolicy>>
  /** The keys of Keystone's signatures; none while there is no document, or none can be read: then Keystone is asked. */
  keystoneKeys(waitUntil: WaitUntil): readonly PublicKey[] | Promise<readonly PublicKey[]>
  /** The documents that decide for a cluster, for operators. */
  states(cluster: string, waitUntil: WaitUntil): Promise<Readonly<Record<string, ReportedState>>>
}

/** Loads and keeps all documents. `secretCallers` come from the secret `CALLERS`, and are there even without CONFIG. */
export function createDocuments(homeDomain: string, secretCallers: Callers, deps: DocumentDeps): Documents {
  const callers = createDocument(
    'callers',
    ofJson((document) => parseCallers(document, secretCallers)),
    deps,
  )

  function currentCallers(waitUntil: WaitUntil): Callers | Promise<Callers> {
    const state = callers.current(waitUntil)
    return state instanceof Promise ? state.then(({ value }) => value ?? secretCallers) : (state.value ?? secretCallers)
  }

  const known = { document: callers, secret: secretCallers }
  const mappings = createClusterDocuments(
    'mapping',
    ofJson((document, digest) => parseMapping(document, { digest: `${digest} ${homeDomain}`, homeDomain })),
    known,
    deps,
  )
  const policies = createClusterDocuments(
    'policy',
    ofJson((document) => parsePolicy(document, homeDomain)),
    known,
    deps,
  )
  const keys = createDocument('keystone-keys', parsePublicKeys, deps)

  return {
    callers: currentCallers,
    keystoneKeys(waitUntil) {
      const state = keys.current(waitUntil)
      return state instanceof Promise ? state.then(({ value }) => value ?? []) : (state.value ?? [])
    },
    mapping(cluster, waitUntil) {
      const state = mappings(cluster, waitUntil)
      return state instanceof Promise ? state.then(toLoaded) : toLoaded(state)
    },
    policy(cluster, waitUntil) {
      const state = policies(cluster, waitUntil)
      return state instanceof Promise ? state.then(toLoaded) : toLoaded(state)
    },
    async states(cluster, waitUntil) {
      const [ofCallers, mapping, policy, ofKeys] = await Promise.all([
        callers.current(waitUntil),
        mappings(cluster, waitUntil),
        policies(cluster, waitUntil),
        keys.current(waitUntil),
      ])
      const isMissing = mapping.source === 'none' && mapping.faults.length === 0
      const inert = limitFaults(policy.value?.inert ?? [])
      return {
        callers: ofCallers,
        mapping: isMissing ? { ...mapping, faults: [NO_MAPPING] } : mapping,
        policy: { ...policy, inert },
        'keystone-keys': ofKeys,
      }
    },
  }
}

/** Without a mapping nobody can log in, which operators must not read as ready. */
const NO_MAPPING: Fault = { path: '', message: 'no mapping document; put {} for the defaults' }

/** Where it is not certain that there is none, it is not taken for none. */
function toLoaded<T>({ value, source, faults }: DocumentState<T>): Loaded<T> {
  if (value !== undefined) return ok(value)
  return err(source === 'none' && faults.length === 0 ? 'none' : 'unreadable')
}
