import { isClusterName } from '../../../documents/callers.ts'
import type { DocumentKind } from '../check/document-kind.ts'
import { usageError } from '../command-error.ts'
import type { Place } from './config-store.ts'

/** The flags of the commands that use KV. */
export interface PlaceFlags {
  readonly cluster?: string
  readonly local: boolean
  readonly remote: boolean
  readonly output: 'text' | 'json'
}

/** The KV that the user names; a mistake between the two is too easy for a default. */
export function toPlace({ local, remote }: PlaceFlags): Place {
  if (local === remote) throw usageError('which KV is meant?', 'give --remote, or --local for npm start')
  return local ? 'local' : 'remote'
}

/** The key of a document in CONFIG. */
export function toKey(kind: DocumentKind, { cluster }: PlaceFlags): string {
  if (cluster === undefined) return kind
  if (kind === 'callers') throw usageError('callers is one document for all clusters', 'leave --cluster out')
  if (!isClusterName(cluster)) throw usageError(`${cluster} is no name of a cluster`)
  return `clusters/${cluster}/${kind}`
}
