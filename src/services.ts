import { createAskBasic, isBasicAnswering } from './authn/basic-api.ts'
import { BasicAuthenticator } from './authn/basic-authenticator.ts'
import { KeystoneAuthenticator } from './authn/keystone-authenticator.ts'
import { createCheckSigned, isStillSigned } from './authn/signed.ts'
import { TokenAuthenticator } from './authn/token-authenticator.ts'
import { answerAccess, authorize } from './authz/authorize.ts'
import { createFingerprinter } from './cache/fingerprint.ts'
import { IdentityCache } from './cache/identity-cache.ts'
import { IdentityStore, KV_TIMEOUT_MS } from './cache/identity-store.ts'
import { createSealer } from './cache/seal.ts'
import type { Callers } from './documents/callers.ts'
import { LastGoodStore } from './documents/last-good-store.ts'
import { createDocuments, type Documents, statesOf, warningsOf } from './documents/registry.ts'
import { type AnswerReview, answerUndecided, createAnswerReview, type Reviewer } from './http/answer-review.ts'
import { CallerIdentifier } from './http/caller-identifier.ts'
import { type Readiness, toDocumentReport } from './http/ready.ts'
import { createKeystoneApi, type Fetch, type HttpDeps, type KeystoneApi } from './keystone/api.ts'
import type { Probe } from './keystone/limits/breaker.ts'
import { Guard } from './keystone/limits/guard.ts'
import { type AdmitNewToken, createRateLimit } from './keystone/limits/rate-limit.ts'
import { createLookUpToken, isAnswering, reachKeystone } from './keystone/validate.ts'
import type { Clock } from './lib/clock.ts'
import type { Fault, Warning } from './lib/fault.ts'
import { VERSION } from './lib/version.ts'
import { type Configuration, readConfiguration, type Settings } from './settings.ts'
import { type Answer, createAudit } from './telemetry/audit.ts'
import { type AuditCaller, createCallerAudit } from './telemetry/caller-audit.ts'
import { describeUnexpected, type ReportEvent } from './telemetry/events.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'

/** The effects of the runtime, besides the bindings: tests replace them. */
export interface Platform {
  readonly clock: Clock
  readonly fetch: Fetch
  /** Writes one line to the log. */
  readonly log: (line: string) => void
}

/** What one isolate keeps for the bindings of a deployment. */
interface Services {
  readonly answerReview: AnswerReview
  readonly callers: CallerIdentifier
  readonly readiness: Readiness
  readonly auditCaller: AuditCaller
}

/** `reviewer` and `readiness`: what settings decide about. */
type Decisions = Pick<Services, 'readiness' | 'callers'> & { readonly reviewer: Reviewer; readonly reviewMs: number }

/** A review is answered within 2 × KEYSTONE_TIMEOUT_MS + 1 s and within 9 s, the waiting for documents and for KV included. */
const SLACK_MS = 1_000
/** kube-apiserver gives up after 10 to 30 s. */
const MAX_LOOK_UP_MS = 8_000
const DEFAULT_AUDIT_REPEATS_SECONDS = 60
const USER_AGENT = `keystone-edge-auth/${VERSION}`

/** The services for an `env`, made at its first request. */
export function servicesFor(platform: Platform, report: ReportEvent): (env: object) => Services {
  const services = new WeakMap<object, Services>()
  return (env) => {
    const known = services.get(env)
    if (known !== undefined) return known
    const made = createServices(readConfiguration({ ...env }), platform, report)
    services.set(env, made)
    return made
  }
}

function createServices(configuration: Configuration, platform: Platform, report: ReportEvent): Services {
  const { settings, callers } = configuration
  const { clock, log } = platform
  if (!settings.ok) report({ code: 'settings_faulty', faults: settings.error })
  else if (settings.value.warnings.length > 0) report({ code: 'settings_warning', warnings: settings.value.warnings })
  const metrics = createMetrics(configuration.metrics, { clock, onFault: () => report({ code: 'metrics_failed' }) })
  const auditCaller = createCallerAudit({ clock, log, measure: metrics?.refused })
  const repeatsSeconds = settings.ok ? settings.value.auditRepeatsSeconds : DEFAULT_AUDIT_REPEATS_SECONDS
  const decisions = settings.ok
    ? decideBySettings(settings.value, callers, { ...platform, report, metrics })
    : refuseAll(settings.error, callers)
  return {
    ...decisions,
    auditCaller,
    answerReview: createAnswerReview({
      ...decisions,
      clock,
      audit: createAudit({ clock, log, repeatsSeconds }),
      auditCaller,
      metrics,
      onUnexpected: (error) => report(describeUnexpected(error)),
    }),
  }
}

interface Effects extends Platform {
  readonly report: ReportEvent
  readonly metrics: Metrics | undefined
}

function decideBySettings(settings: Settings, secretCallers: Callers, effects: Effects): Decisions {
  const { clock, report } = effects
  const http = { fetch: effects.fetch, timeoutMs: settings.keystoneTimeoutMs, userAgent: USER_AGENT, clock }
  const api = createKeystoneApi({ ...http, fetch: settings.keystoneFetch ?? http.fetch, url: settings.keystoneUrl })
  const guard = createGuard(settings, clock, MIN_KEYSTONE_MS, (deadlineMs) => isAnswering(api, deadlineMs))
  const admitNewToken = createRateLimit(settings.lookUpsLimit, clock, (code) => report({ code }))
  const documents = createDocuments(settings.homeDomain, secretCallers, {
    config: settings.config,
    lastGood: new LastGoodStore({
      namespace: settings.cache,
      // Unlike identities, documents outlive a change of KEYSTONE_URL: they hold nothing that a Keystone said.
      sealer: createSealer(settings.cacheKeys, ''),
      fingerprints: createFingerprinter(settings.cacheKeys, ''),
    }),
    clock,
    onFaults: (document, digest, faults) => report({ code: 'document_faulty', document, digest, faults }),
  })
  const checkSigned = createCheckSigned(documents.keystoneKeys, clock)
  const identities = new IdentityCache<Answer>({
    ...cacheOf(settings, effects),
    admitNewToken,
    guard,
    lookUpToken: createLookUpToken(api, clock),
    isStillSigned: (query) => isStillSigned(query, checkSigned),
  })
  const hasBasic = settings.basicAuthUrl !== undefined
  const keystone = new KeystoneAuthenticator({ documents, hasBasic, identities, checkSigned })
  const basic = createBasicAuthenticator(settings, { documents, admitNewToken, http, report })
  return {
    callers: new CallerIdentifier(documents.callers),
    reviewer: createReviewer(documents, new TokenAuthenticator({ documents, keystone, basic, clock })),
    reviewMs: lookUpMsOf(settings) + SLACK_MS,
    readiness: createReadiness({ warnings: settings.warnings, documents, basic, api, guard, clock }),
  }
}

/** The least time for two requests to a Keystone that is not fast. HTTP Basic takes one. */
const MIN_KEYSTONE_MS = 1_000

function createGuard(settings: Settings, clock: Clock, minMs: number, probe: Probe): Guard {
  const timeoutMs = Math.min(settings.keystoneTimeoutMs, lookUpMsOf(settings))
  const minLookUpMs = Math.min(minMs, timeoutMs)
  return new Guard({ clock, maxConcurrent: settings.keystoneMaxConcurrent, timeoutMs, minLookUpMs, probe })
}

function createReviewer(documents: Documents, authenticator: TokenAuthenticator): Reviewer {
  return {
    refresh: ({ kind, review }, asked) =>
      kind === 'TokenReview'
        ? authenticator.refresh(review, asked)
        : documents.policy.refresh(asked.cluster, asked.ctx),
    peek: ({ kind, review }, asked) =>
      kind === 'TokenReview'
        ? authenticator.peek(review, asked)
        : answerAccess(review, authorize(review, documents.policy.inForce(asked.cluster))),
    async load({ kind, review }, asked) {
      if (kind !== 'TokenReview') throw new Error('a SubjectAccessReview is answered without waiting')
      return authenticator.authenticate(review, asked)
    },
  }
}

/** With faulty settings every review is "cannot tell". Only the callers of the secret are known. */
function refuseAll(faults: readonly Fault[], callers: Callers): Decisions {
  return {
    callers: new CallerIdentifier({ refresh: () => undefined, inForce: () => callers }),
    reviewer: {
      refresh: () => undefined,
      peek: (review) => answerUndecided(review, 'settings'),
      load: async (review) => answerUndecided(review, 'settings'),
    },
    reviewMs: 0,
    readiness: {
      settings: faults,
      report: async () => ({
        keystone: { reachable: false, reason: 'not asked, because a setting is faulty' },
        breaker: 'closed',
        settings: faults,
        warnings: [],
        documents: {},
      }),
    },
  }
}

interface ReadinessDeps {
  readonly warnings: readonly Warning[]
  readonly documents: Documents
  readonly basic: BasicAuthenticator
  readonly api: KeystoneApi
  readonly guard: Guard
  readonly clock: Clock
}

function createReadiness({ warnings, documents, basic, api, guard, clock }: ReadinessDeps): Readiness {
  return {
    settings: [],
    async report(cluster, ctx) {
      const [reachability, ofBasic, states] = await Promise.all([
        reachKeystone(api, Number.POSITIVE_INFINITY),
        basic.warnings(ctx),
        statesOf(documents, cluster, ctx),
      ])
      const reports = Object.entries(states).map(([name, state]) => [name, toDocumentReport(state, clock.now())])
      return {
        keystone: reachability,
        breaker: guard.breakerState,
        settings: [],
        warnings: [...warnings, ...ofBasic, ...warningsOf(documents, cluster, clock.now())],
        documents: Object.fromEntries(reports),
      }
    },
  }
}

interface BasicDeps {
  readonly documents: Documents
  readonly admitNewToken: AdmitNewToken
  readonly http: Omit<HttpDeps, 'url'>
  readonly report: ReportEvent
}

/** With a guard of its own: a slow service holds up no user of Keystone. */
function createBasicAuthenticator(settings: Settings, { documents, admitNewToken, http, report }: BasicDeps) {
  const { basicAuthUrl: url } = settings
  const ask = url === undefined ? undefined : createAskBasic({ ...http, url })
  return new BasicAuthenticator({
    documents,
    ask,
    admitNewToken,
    guard: createGuard(settings, http.clock, 0, async (untilMs) => ask !== undefined && isBasicAnswering(ask, untilMs)),
    clock: http.clock,
    acceptedMs: settings.identityTtlSeconds * 1000,
    refusedMs: settings.rejectionTtlSeconds * 1000,
    timeoutMs: http.timeoutMs,
    onUnprotected: (status) => report({ code: 'basic_unprotected', status }),
  })
}

/** How long identities count, and where they are stored. */
function cacheOf(settings: Settings, { clock, report, metrics }: Effects) {
  const ttlMs = settings.identityTtlSeconds * 1000
  const lookUpMs = lookUpMsOf(settings)
  return {
    clock,
    freshness: { ttlMs, staleUntilMs: ttlMs + settings.staleIfErrorSeconds * 1000 },
    rejectionTtlMs: settings.rejectionTtlSeconds * 1000,
    lookUpMs,
    loadMs: lookUpMs + KV_TIMEOUT_MS,
    fingerprints: createFingerprinter(settings.cacheKeys, settings.keystoneUrl),
    store: new IdentityStore({
      namespace: settings.cache,
      sealer: createSealer(settings.cacheKeys, settings.keystoneUrl),
      clock,
      onFault: (code) => report({ code }),
    }),
    onRefresh: metrics?.refreshed,
  }
}

function lookUpMsOf({ keystoneTimeoutMs }: Settings): number {
  return Math.min(2 * keystoneTimeoutMs, MAX_LOOK_UP_MS)
}
