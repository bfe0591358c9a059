import * as v from 'valibot'
import { err, ok, type Result } from '../result.ts'

/** Who may ask: clusters by `sha256:<hex of the bearer token's SHA-256>`. */
export type Callers = ReadonlyMap<string, string>

/** A fault of a document: the JSON path, and what is wrong there. Never what was there. */
export interface DocumentFault {
  readonly path: string
  readonly message: string
}

const ClusterName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/,
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
    own: v.optional(v.array(Own, 'expected a list')),
  },
  'expected an object with credentials, optionally own, and nothing else',
)
const CallersDocument = v.record(ClusterName, Cluster, 'expected an object of clusters')

/** Reads a callers document. All faults at once; a credential of two clusters is one, as it would name neither. */
export function parseCallers(document: unknown): Result<Callers, readonly DocumentFault[]> {
  if (Array.isArray(document)) return err([{ path: '', message: 'expected an object of clusters' }])
  const parsed = v.safeParse(CallersDocument, document)
  if (!parsed.success) {
    return err(parsed.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })))
  }
  const callers = new Map<string, string>()
  const faults: DocumentFault[] = []
  for (const [cluster, { credentials }] of Object.entries(parsed.output)) {
    for (const [index, credential] of credentials.entries()) {
      const other = callers.get(credential)
      if (other !== undefined && other !== cluster) {
        faults.push({ path: `${cluster}.credentials.${index}`, message: `is listed for cluster ${other} as well` })
      }
      callers.set(credential, cluster)
    }
  }
  return faults.length > 0 ? err(faults) : ok(callers)
}
