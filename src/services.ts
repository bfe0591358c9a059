import { answerVerdict, createAuthenticate, type MappedAnswer } from './authn/authenticate.ts'
import { type CheckSigned, createCheckSigned, isStillSigned } from './authn/signed.ts'
import { answerAccess, authorize } from './authz/authorize.ts'
import { createFingerprinter } from './cache/fingerprint.ts'
import { createIdentities, type FoundIdentity } from './cache/identity-cache.ts'
import { createIdentityStore } from './cache/identity-store.ts'
import { createSealer } from './cache/seal.ts'
import type { Callers } from './documents/callers.ts'
import { createLastGoodStore } from './documents/last-good-store.ts'
import { createDocuments } from './documents/registry.ts'
import type { AnswerReview, WaitUntil } from './http/answer-review.ts'
import { createIdentifyCaller } from './http/caller.ts'
import type { ReadyDeps } from './http/ready.ts'
import { createGuardedKeystone, type GuardedKeystone } from './keystone/limits/guarded-look-up.ts'
import { recogniseTokenFormat } from './keystone/token-format.ts'
import { createKeystoneClient, type Fetch, type KeystoneClient } from './keystone/validate.ts'
import type { StartTimer } from './lib/clock.ts'
import type { Fault } from './lib/fault.ts'
import { createSingleFlight } from './lib/single-flight.ts'
import { VERSION } from './lib/version.ts'
import type { Configuration, Settings } from './settings.ts'
import type { ReportEvent } from './telemetry/events.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** Everything outside that a review touches, besides the bindings in the settings. */
export interface Effects {
  readonly now: () => number
  readonly startTimer: StartTimer
  readonly fetch: Fetch
  readonly report: ReportEvent
  /** See `IdentitiesDeps`. */
  readonly onRefresh?: Metrics['refreshed'] | undefined
}

/** What the routes need of the rooms behind them. */
export type Rooms = ReadyDeps & { readonly review: AnswerReview }

// A review is answered within 2 × KEYSTONE_TIMEOUT_MS + 1 s: half a second each for the callers, for the mapping (both
// only when an isolate is new or has slept) and for KV; what these take is taken from the time for Keystone.
const KV_TIMEOUT_MS = 500
const CALLERS_TIMEOUT_MS = 500
const SLACK_MS = 1_000
/** With the three halves of a second above less than 10 s: kube-apiserver gives up after 10 to 30 s. */
const MAX_LOOK_UP_MS = 8_000
const MAX_FLIGHTS = 10_000

/** Wires the rooms together. With faulty settings every review is "cannot tell". */
export function connectRooms({ settings, callers }: Configuration, effects: Effects): Rooms {
  return settings.ok ? connect(settings.value, callers, effects) : connectFaulty(settings.error, callers, effects)
}

function connectFaulty(faults: readonly Fault[], callers: Callers, { now }: Effects): Rooms {
  return {
    identifyCaller: createIdentifyCaller(async () => callers),
    hasCallers: async () => callers.clusters.size > 0,
    review: ({ kind, review }) =>
      kind === 'TokenReview'
        ? answerVerdict(review, { reason: 'settings' })
        : answerAccess(review, { decision: 'unknown', because: 'settings' }),
    readiness: {
      settings: faults,
      keystoneReachable: async () => false,
      breaker: () => 'closed',
      documents: async () => ({}),
    },
    now,
  }
}

function connect(settings: Settings, secretCallers: Callers, effects: Effects): Rooms {
  const { now, startTimer, report } = effects
  const keystone = connectKeystone(settings, effects)
  const guarded = guardKeystone(settings, keystone, effects)
  const documents = createDocuments(settings.homeDomain, secretCallers, {
    config: settings.config,
    lastGood: createLastGoodStore({
      namespace: settings.cache,
      // Unlike identities, documents outlive a change of KEYSTONE_URL: they say nothing that a Keystone said.
      sealer: createSealer(settings.cacheKeys, ''),
      fingerprints: createFingerprinter(settings.cacheKeys, ''),
    }),
    now,
    startTimer,
    onFaults: (document, digest, faults) => report({ code: 'document_faulty', document, digest, faults }),
  })
  const { keystoneKeys } = documents
  const checkSigned = createCheckSigned(keystoneKeys, now)
  const identities = connectIdentities(settings, guarded, checkSigned, effects)
  const authenticate = createAuthenticate({ identities, checkSigned, now })
  const reviewMs = 2 * settings.keystoneTimeoutMs + SLACK_MS - CALLERS_TIMEOUT_MS
  return {
    identifyCaller: createIdentifyCaller(documents.callers),
    hasCallers: async (waitUntil: WaitUntil) => (await documents.callers(waitUntil)).clusters.size > 0,
    review({ kind, review }, cluster, waitUntil) {
      if (kind === 'SubjectAccessReview') {
        const policy = documents.policy(cluster, waitUntil)
        return policy instanceof Promise
          ? policy.then((loaded) => answerAccess(review, authorize(review, loaded)))
          : answerAccess(review, authorize(review, policy))
      }
      const mapping = documents.mapping(cluster, waitUntil)
      const asked = { cluster, waitUntil }
      if (!(mapping instanceof Promise)) return authenticate(review, mapping, asked, reviewMs)
      const endsAtMs = now() + reviewMs
      // Both together, so that they take half a second at most.
      if (recogniseTokenFormat(review.token) === 'jws') void keystoneKeys(waitUntil)
      return mapping.then((loaded) => authenticate(review, loaded, asked, endsAtMs - now()))
    },
    readiness: {
      settings: [],
      keystoneReachable: keystone.isReachable,
      breaker: guarded.state,
      documents: documents.states,
    },
    now,
  }
}

function connectKeystone(settings: Settings, { now, startTimer, fetch }: Effects): KeystoneClient {
  return createKeystoneClient({
    fetch: settings.keystoneFetch ?? fetch,
    url: settings.keystoneUrl,
    timeoutMs: settings.keystoneTimeoutMs,
    userAgent: `keystone-edge-auth/${VERSION}`,
    now,
    startTimer,
  })
}

function guardKeystone(
  settings: Settings,
  client: KeystoneClient,
  { now, startTimer, report }: Effects,
): GuardedKeystone {
  return createGuardedKeystone({
    client,
    limit: settings.lookUpsLimit,
    timeoutMs: settings.keystoneTimeoutMs,
    lookUpMs: lookUpBudgetOf(settings),
    now,
    startTimer,
    onFault: (code) => report({ code }),
  })
}

function lookUpBudgetOf({ keystoneTimeoutMs }: Settings): number {
  return Math.min(2 * keystoneTimeoutMs, MAX_LOOK_UP_MS)
}

function connectIdentities(settings: Settings, keystone: GuardedKeystone, checkSigned: CheckSigned, effects: Effects) {
  const { now, startTimer, report, onRefresh } = effects
  const { keystoneUrl, cacheKeys } = settings
  const lookUpBudgetMs = lookUpBudgetOf(settings)
  return createIdentities<MappedAnswer>({
    now,
    identityTtlSeconds: settings.identityTtlSeconds,
    rejectionTtlSeconds: settings.rejectionTtlSeconds,
    staleIfErrorSeconds: settings.staleIfErrorSeconds,
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
    keystone,
    flights: createSingleFlight<FoundIdentity<MappedAnswer>>({ now, startTimer, maxFlights: MAX_FLIGHTS }),
    isStillSigned: (query) => isStillSigned(query, checkSigned),
    onRefresh,
  })
}
