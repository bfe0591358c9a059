import { err, ok, type Result } from '../../../lib/result.ts'

/** The document `callers`, which `parseCallers` accepted, in the order of the file. */
export type CallersText = Readonly<Record<string, unknown>>

/** A credential in the document: `sha256:` of a token or `cert:` of a certificate. */
export interface ListedCredential {
  readonly cluster: string
  readonly kind: 'token' | 'certificate'
  readonly credential: string
}

/** The credentials of all clusters, or of one. */
export function listCallers(document: CallersText, cluster?: string): ListedCredential[] {
  return Object.keys(document).flatMap((name) =>
    name === '$schema' || (cluster !== undefined && name !== cluster)
      ? []
      : credentialsOf(document, name).map((credential) => ({
          cluster: name,
          kind: credential.startsWith('cert:') ? ('certificate' as const) : ('token' as const),
          credential,
        })),
  )
}

/** Adds a credential behind those that the cluster has; a cluster that is not there is made. */
export function addCaller(document: CallersText, cluster: string, credential: string): Result<CallersText, string> {
  const owner = listCallers(document).find((one) => one.credential === credential)
  if (owner !== undefined) return err(`the credential is listed for cluster ${owner.cluster} already`)
  return ok(replace(document, cluster, [...credentialsOf(document, cluster), credential]))
}

/** Removes a cluster, or its credentials that begin with `prefix`. */
export function removeCaller(document: CallersText, cluster: string, prefix?: string): Result<CallersText, string> {
  if (!Object.hasOwn(document, cluster)) return err(`there is no cluster ${cluster}`)
  if (prefix === undefined) return ok(Object.fromEntries(Object.entries(document).filter(([name]) => name !== cluster)))
  const all = credentialsOf(document, cluster)
  const found = all.filter((one) => matches(one, prefix))
  if (found.length === 0) return err(`cluster ${cluster} has no credential that begins with ${prefix}`)
  if (found.length > 1) return err(`cluster ${cluster} has ${found.length} credentials that begin with ${prefix}`)
  return ok(
    replace(
      document,
      cluster,
      all.filter((one) => !found.includes(one)),
    ),
  )
}

/** The second half of a rotation: keeps the newest token of the cluster and all its certificates. */
export function finishRotation(document: CallersText, cluster: string): Result<CallersText, string> {
  const all = credentialsOf(document, cluster)
  const tokens = all.filter((one) => one.startsWith('sha256:'))
  if (tokens.length < 2)
    return err(`cluster ${cluster} has ${tokens.length === 0 ? 'no token' : 'one token only'}: nothing to finish`)
  const newest = tokens.at(-1)
  return ok(
    replace(
      document,
      cluster,
      all.filter((one) => !one.startsWith('sha256:') || one === newest),
    ),
  )
}

function matches(credential: string, prefix: string): boolean {
  return credential.startsWith(prefix) || credential.slice(credential.indexOf(':') + 1).startsWith(prefix)
}

function credentialsOf(document: CallersText, cluster: string): readonly string[] {
  const entry = Object.hasOwn(document, cluster) ? document[cluster] : undefined
  const credentials: unknown =
    typeof entry === 'object' && entry !== null && 'credentials' in entry ? entry.credentials : []
  return Array.isArray(credentials) ? credentials.filter((one): one is string => typeof one === 'string') : []
}

function replace(document: CallersText, cluster: string, credentials: readonly string[]): CallersText {
  const entry = Object.hasOwn(document, cluster) ? document[cluster] : undefined
  return { ...document, [cluster]: { ...(typeof entry === 'object' ? entry : {}), credentials } }
}
