import { parsePublicKeys } from '../keystone/public-keys.ts'
import type { ExecutionCtx } from '../lib/clock.ts'
import { type Fault, limitFaults, type Warning } from '../lib/fault.ts'
import { parseAuthenticators } from '../mapping/authenticators.ts'
import { parseMapping } from '../mapping/parse-mapping.ts'
import { parsePolicy } from '../policy/parse-policy.ts'
import type { Callers } from './callers.ts'
import { CallersDocument } from './callers-document.ts'
import { ClusterDocuments } from './cluster-documents.ts'
import type { DocumentState } from './document-state.ts'
import { ofJson } from './document-text.ts'
import { type DocumentDeps, LiveDocument } from './live-document.ts'

/** All documents of administrators in this isolate. `refresh` one before a review, then read `inForce`. */
export type Documents = ReturnType<typeof createDocuments>

/** `secretCallers` are those of the secret `CALLERS`, which count without CONFIG too. */
export function createDocuments(homeDomain: string, secretCallers: Callers, deps: DocumentDeps) {
  const callers = new CallersDocument(secretCallers, deps)
  const mapping = ofJson((json, digest) => parseMapping(json, { digest: `${digest} ${homeDomain}`, homeDomain }))
  const policy = ofJson((json) => parsePolicy(json, homeDomain))
  return {
    callers,
    mapping: new ClusterDocuments('mapping', mapping, callers, deps),
    policy: new ClusterDocuments('policy', policy, callers, deps),
    authenticators: new ClusterDocuments('authenticators', ofJson(parseAuthenticators), callers, deps),
    /** The keys of Keystone's signatures. Without a readable document there are none, and Keystone is asked. */
    keystoneKeys: new LiveDocument('keystone-keys', parsePublicKeys, deps),
  }
}

const NO_MAPPING: Fault = { path: '', message: 'no mapping document; put {} for the defaults' }

/** The state of each document that decides for a cluster, after a refresh, for operators. */
export async function statesOf(
  { callers, mapping, policy, authenticators, keystoneKeys }: Documents,
  cluster: string,
  ctx: ExecutionCtx,
): Promise<Readonly<Record<string, DocumentState<unknown>>>> {
  await Promise.all([
    ...[mapping, policy, authenticators].map((document) => document.refresh(cluster, ctx)),
    keystoneKeys.refresh(ctx),
  ])
  const ofMapping = mapping.state(cluster)
  // Without a mapping nobody can log in, so the cluster is not ready.
  const hasNone = ofMapping.source === 'none' && ofMapping.faults.length === 0
  return {
    callers: callers.state,
    mapping: hasNone ? { ...ofMapping, faults: [NO_MAPPING] } : ofMapping,
    policy: policy.state(cluster),
    authenticators: authenticators.state(cluster),
    'keystone-keys': keystoneKeys.state,
  }
}

/** What is valid in the documents of a cluster, and what an administrator most likely did not mean. */
export function warningsOf({ policy, authenticators }: Documents, cluster: string, nowMs: number): readonly Warning[] {
  const ofPolicy = policy.state(cluster).value?.warnings ?? []
  const ofAuthenticators = authenticators.state(cluster).value?.warnings(nowMs) ?? []
  return limitFaults([...prefix('policy', ofPolicy), ...prefix('authenticators', ofAuthenticators)])
}

function prefix(document: string, warnings: readonly Warning[]): Warning[] {
  return warnings.map(({ path, message }) => ({
    path: document + (/^(?:\[|$)/.test(path) ? path : `.${path}`),
    message,
  }))
}
