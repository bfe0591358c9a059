import { beforeEach } from 'vitest'
import { createStage, type Isolate, type Stage } from '../../support/documents-stage.ts'
import { putDocument } from '../../support/webhook.ts'

let stage: Stage
/** Names in CACHE that were read, documents aside. */
let identitiesRead: string[]

/** Before each test of the file: a stage with the default mapping, which counts reads of identities. */
export function useJwsStage(): () => Stage {
  beforeEach(async () => {
    stage = await createStage()
    identitiesRead = []
    const get = stage.cache.get
    stage.cache.get = (names, options) => {
      identitiesRead.push(...names.filter((name) => name.startsWith('identity/')))
      return get(names, options)
    }
    await putDocument('mapping', {})
  })
  return () => stage
}

/** A new isolate with this document `keystone-keys`. */
export async function isolateWith(document?: unknown): Promise<Isolate> {
  if (document !== undefined) await putDocument('keystone-keys', document)
  return stage.isolate()
}

/** What a review of the token gives, and the requests to Keystone and the reads of identities that it takes. */
export async function outcome(isolate: Isolate, token: string) {
  const before = [isolate.keystoneRequests.length, identitiesRead.length]
  const { json } = await isolate.review(token)
  const { reason, keystoneCalls } = isolate.reviews().at(-1) ?? {}
  const requests = isolate.keystoneRequests.length - (before[0] ?? 0)
  return { status: json.status, reason, keystoneCalls, requests, reads: identitiesRead.length - (before[1] ?? 0) }
}

/** The outcome of a token that is refused without a look-up. */
export const refused = (reason: string) => ({
  status: { authenticated: false },
  reason,
  keystoneCalls: 0,
  requests: 0,
  reads: 0,
})

export const ACCEPTED = { reason: 'authenticated', requests: 2 }
