import * as v from 'valibot'
import { type Fault, toFaults } from '../lib/fault.ts'
import { err, ok, type Result } from '../lib/result.ts'

/** Who may ask, and what their clusters keep for themselves. */
export interface Callers {
  /** Clusters by `sha256:<hex of the bearer token's SHA-256>` or `cert:<hex of the client certificate's>`. */
  readonly clusters: ReadonlyMap<string, string>
  /** Documents that a cluster has itself, so that the shared one never stands in. */
  readonly own: ReadonlyMap<string, ReadonlySet<OwnDocument>>
}

/** Documents that a cluster may have of its own. */
export type OwnDocument = 'mapping' | 'policy' | 'authenticators'

/** Nobody. */
export const NO_CALLERS: Callers = { clusters: new Map(), own: new Map() }

const CLUSTER_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/

/** Whether a cluster may be called that. */
export function isClusterName(text: string): boolean {
  return CLUSTER_NAME.test(text)
}

const ClusterName = v.pipe(
  v.string('expected a string'),
  v.regex(
    CLUSTER_NAME,
    'a cluster name is 1 to 63 of a-z, 0-9, "." and "-", and starts and ends with a letter or digit',
  ),
)
const Credential = v.pipe(
  v.string('expected a string'),
  v.regex(/^(?:sha256|cert):[0-9a-f]{64}$/, 'expected sha256: or cert: and 64 lower-case hex digits'),
)
const Own = v.picklist(['mapping', 'policy', 'authenticators'], 'expected mapping, policy or authenticators')
const Cluster = v.strictObject(
  {
    credentials: v.array(Credential, 'expected a list of credentials'),
    own: v.optional(v.array(Own, 'expected a list of documents')),
  },
  'expected an object with credentials and own',
)

/** The document `callers`, and the secret `CALLERS`. */
export const CallersDocumentSchema = v.objectWithRest(
  { $schema: v.optional(v.string('expected a string')) },
  Cluster,
  'expected an object of clusters',
)

/**
 * Reads a callers document and adds it to callers that are known already (of the secret). All faults at once; a
 * credential of two clusters is one, as it would name neither.
 */
export function parseCallers(document: unknown, known: Callers = NO_CALLERS): Result<Callers, readonly Fault[]> {
  if (Array.isArray(document)) return err([{ path: '', message: 'expected an object of clusters' }])
  const parsed = v.safeParse(CallersDocumentSchema, document)
  if (!parsed.success) return err(toFaults(parsed.issues))
  const clusters = new Map(known.clusters)
  const own = new Map(known.own)
  const faults: Fault[] = []
  // valibot passes over a key `constructor`, which would be a cluster's name.
  const passedOver = Object.keys(document ?? {}).filter((name) => !Object.hasOwn(parsed.output, name))
  faults.push(...passedOver.map((path) => ({ path, message: 'cannot be the name of a cluster' })))
  for (const [cluster, entry] of Object.entries(parsed.output)) {
    if (typeof entry === 'string' || entry === undefined) continue
    const name = v.safeParse(ClusterName, cluster)
    if (!name.success) faults.push({ path: cluster, message: name.issues[0].message })
    for (const [index, credential] of entry.credentials.entries()) {
      const other = clusters.get(credential)
      if (other !== undefined && other !== cluster) {
        faults.push({ path: `${cluster}.credentials[${index}]`, message: `is listed for cluster ${other} as well` })
      }
      clusters.set(credential, cluster)
    }
    if (entry.own !== undefined) own.set(cluster, new Set([...(own.get(cluster) ?? []), ...entry.own]))
  }
  return faults.length > 0 ? err(faults) : ok({ clusters, own })
}
