import { answerVerdict, createAuthenticate, type MappedAnswer } from './authn/authenticate.ts'
import { createFingerprinter } from './cache/fingerprint.ts'
import { createIdentities, type Found, type KnownIdentity } from './cache/identities.ts'
import { createIdentityStore } from './cache/kv.ts'
import { createSealer } from './cache/seal.ts'
import { createSingleFlight } from './cache/single-flight.ts'
import type { DocumentFault } from './documents/callers.ts'
import type { Review } from './http/webhook.ts'
import { createDefaultMapping } from './identity/default-mapping.ts'
import { createKeystoneClient, type Fetch, type Rejection, type Unavailable } from './keystone/client.ts'
import type { Result } from './result.ts'
import type { Settings } from './settings.ts'
import type { ReportEvent } from './telemetry/events.ts'
import type { StartTimer } from './timer.ts'
import { VERSION } from './version.ts'

/** Everything outside that a review touches, besides the bindings in the settings. */
export interface Effects {
  readonly now: () => number
  readonly startTimer: StartTimer
  readonly fetch: Fetch
  readonly report: ReportEvent
}

// A review is answered within 2 × KEYSTONE_TIMEOUT_MS + 1 s, and before 10 s: kube-apiserver waits 10 to 30 s.
const KV_TIMEOUT_MS = 500
const MAX_LOOK_UP_MS = 9_000
const MAX_FLIGHTS = 10_000

/** Wires the rooms together. With faulty settings every review is "cannot tell". */
export function createReview(settings: Result<Settings, readonly DocumentFault[]>, effects: Effects): Review {
  if (!settings.ok) return async (review) => answerVerdict(review, { reason: 'settings' })
  const mapping = createDefaultMapping(settings.value.homeDomain)
  const authenticate = createAuthenticate(connectIdentities(settings.value, effects))
  return (review, _cluster, waitUntil) => authenticate(review, mapping, waitUntil)
}

function connectIdentities(settings: Settings, { now, startTimer, fetch, report }: Effects) {
  const { keystoneUrl, keystoneTimeoutMs, cacheKeys } = settings
  const lookUpBudgetMs = Math.min(2 * keystoneTimeoutMs, MAX_LOOK_UP_MS)
  return createIdentities<MappedAnswer>({
    now,
    identityTtlSeconds: settings.identityTtlSeconds,
    rejectionTtlSeconds: settings.rejectionTtlSeconds,
    lookUpBudgetMs,
    flightBudgetMs: lookUpBudgetMs + KV_TIMEOUT_MS,
    fingerprints: createFingerprinter(cacheKeys, keystoneUrl),
    store: createIdentityStore({
      namespace: settings.cache,
      sealer: createSealer(cacheKeys, keystoneUrl),
      timeoutMs: KV_TIMEOUT_MS,
      startTimer,
      onFault: (code) => report({ code }),
    }),
    keystone: createKeystoneClient({
      fetch: settings.keystoneFetch ?? fetch,
      url: keystoneUrl,
      timeoutMs: keystoneTimeoutMs,
      userAgent: `keystone-edge-auth/${VERSION}`,
      now,
      startTimer,
    }),
    flights: createSingleFlight<Found<Result<KnownIdentity<MappedAnswer>, Rejection | Unavailable>>>({
      now,
      startTimer,
      maxFlights: MAX_FLIGHTS,
    }),
  })
}
