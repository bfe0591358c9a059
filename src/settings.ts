import * as v from 'valibot'
import type { CacheNamespace } from './cache/seal.ts'
import { type Callers, NO_CALLERS, parseCallers } from './documents/callers.ts'
import { parseDocumentText } from './documents/document-text.ts'
import type { ConfigNamespace } from './documents/live-document.ts'
import type { Fetch } from './keystone/api.ts'
import { isKeystoneDomainId } from './keystone/ids.ts'
import type { LookUpsLimit } from './keystone/limits/rate-limit.ts'
import { type Fault, toFaults } from './lib/fault.ts'
import { err, ok, type Result } from './lib/result.ts'
import type { MetricsDataset } from './telemetry/metrics.ts'

/** What env holds. Callers are read even if the rest is faulty, so that they learn that it is. */
export interface Configuration {
  readonly settings: Result<Settings, readonly Fault[]>
  /** Empty when `CALLERS` is missing or faulty: then nobody is let in. */
  readonly callers: Callers
  /** The `METRICS` binding, when bound: faulty settings are what its points should show first. */
  readonly metrics: MetricsDataset | undefined
}

function wholeNumber(fallback: number, min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`
  const digits = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))
  const inRange = (value: number): boolean => Number.isInteger(value) && value >= min && value <= max
  return v.optional(v.pipe(v.union([v.number(), digits], message), v.check(inRange, message)), fallback)
}

const KEYSTONE_URL_RULE = 'expected the https URL of the Identity API v3 root, such as https://keystone.example.org/v3'
const HTTP_RULE =
  'expected https; http is accepted on loopback, with the binding KEYSTONE, or for a laboratory with KEYSTONE_ALLOW_HTTP = "true"'
const HTTP_WARNING: Fault = {
  path: 'KEYSTONE_ALLOW_HTTP',
  message: 'tokens go to Keystone unencrypted where KEYSTONE_URL is http; for laboratories only',
}

const KeystoneUrl = v.pipe(
  v.string(KEYSTONE_URL_RULE),
  v.check(isKeystoneUrl, KEYSTONE_URL_RULE),
  v.transform((text) => text.replace(/\/+$/, '')),
)

function isKeystoneUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || text !== text.trim() || /[?#]/.test(text)) return false
  return url.username === '' && url.password === '' && /^https?:$/.test(url.protocol)
}

function isLoopbackOrHttps(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

const BASIC_URL_RULE = 'expected the https URL of a service behind HTTP Basic authentication (http on loopback only)'

/** Empty is none: a var that wrangler.toml leaves empty. */
function isBasicUrl(text: string): boolean {
  return text === '' || (isKeystoneUrl(text) && isLoopbackOrHttps(text))
}

const CACHE_KEYS_RULE = 'expected a JSON list of base64 keys of 32 bytes each, newest first'

/** The keys, 32 bytes each: the first seals, all open. */
const CacheKeys = v.pipe(
  v.string(CACHE_KEYS_RULE),
  v.transform(parseCacheKeys),
  v.array(v.instance(Uint8Array), CACHE_KEYS_RULE),
)

function parseCacheKeys(text: string): Uint8Array[] | undefined {
  const list = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(v.string()), v.nonEmpty()), text)
  if (!list.success) return undefined
  const keys = list.output.map(fromBase64)
  return keys.every((key) => key?.length === 32) ? keys.filter((key) => key !== undefined) : undefined
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function binding<T>(method: string, what: string) {
  const isBinding = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function'
  return v.custom<T>(isBinding, `expected ${what}`)
}

const Metrics = v.optional(binding<MetricsDataset>('writeDataPoint', 'an Analytics Engine dataset'))

const Variables = v.object({
  KEYSTONE_URL: KeystoneUrl,
  KEYSTONE_ALLOW_HTTP: v.optional(v.picklist(['true', 'false', ''], 'expected true, or nothing')),
  KEYSTONE_TIMEOUT_MS: wholeNumber(5000, 1, 10_000),
  KEYSTONE_MAX_CONCURRENT: wholeNumber(16, 1, 64),
  IDENTITY_TTL_SECONDS: wholeNumber(120, 0, 300),
  REJECTION_TTL_SECONDS: wholeNumber(30, 0, 300),
  STALE_IF_ERROR_SECONDS: wholeNumber(300, 0, 3600),
  AUDIT_REPEATS_SECONDS: wholeNumber(60, 0, 86_400),
  HOME_DOMAIN: v.optional(
    v.pipe(
      v.string(),
      v.check(isKeystoneDomainId, 'expected the id of a Keystone domain (`default`, or 32 hex digits), not its name'),
    ),
    'default',
  ),
  BASIC_AUTH_URL: v.optional(v.pipe(v.string(BASIC_URL_RULE), v.check(isBasicUrl, BASIC_URL_RULE))),
  CACHE_KEYS: CacheKeys,
  CACHE: binding<CacheNamespace>('get', 'a KV namespace'),
  CONFIG: binding<ConfigNamespace>('get', 'a KV namespace'),
  KEYSTONE: v.optional(binding<Fetcher>('fetch', 'a fetcher')),
  LOOKUPS: v.optional(binding<LookUpsLimit>('limit', 'a rate limit')),
  METRICS: Metrics,
})

const Env = v.pipe(
  Variables,
  v.forward(
    v.partialCheck(
      [['KEYSTONE_URL'], ['KEYSTONE_ALLOW_HTTP'], ['KEYSTONE']],
      (env) => env.KEYSTONE_ALLOW_HTTP === 'true' || env.KEYSTONE !== undefined || isLoopbackOrHttps(env.KEYSTONE_URL),
      HTTP_RULE,
    ),
    ['KEYSTONE_URL'],
  ),
)

/** Reads everything that the Worker takes from env. Every fault is collected; none repeats a value. */
export function readConfiguration(env: Readonly<Record<string, unknown>>): Configuration {
  const parsed = v.safeParse(Env, env)
  const callers = parseCallersSecret(env.CALLERS)
  const faults = [...toFaults(parsed.issues ?? []).map(sayIfMissing(env)), ...(callers.ok ? [] : callers.error)]
  return {
    callers: callers.ok ? callers.value : NO_CALLERS,
    metrics: v.is(Metrics, env.METRICS) ? env.METRICS : undefined,
    settings: parsed.success && faults.length === 0 ? ok(toSettings(parsed.output)) : err(faults),
  }
}

/** The Worker's configuration, checked. README.md, "Configuration", explains every name. */
export type Settings = ReturnType<typeof toSettings>

function toSettings(env: v.InferOutput<typeof Env>) {
  const keystone = env.KEYSTONE
  const keystoneFetch: Fetch | undefined = keystone && ((url, init) => keystone.fetch(url, init))
  return {
    keystoneUrl: env.KEYSTONE_URL,
    keystoneTimeoutMs: env.KEYSTONE_TIMEOUT_MS,
    keystoneMaxConcurrent: env.KEYSTONE_MAX_CONCURRENT,
    keystoneFetch,
    identityTtlSeconds: env.IDENTITY_TTL_SECONDS,
    rejectionTtlSeconds: env.REJECTION_TTL_SECONDS,
    staleIfErrorSeconds: env.STALE_IF_ERROR_SECONDS,
    homeDomain: env.HOME_DOMAIN,
    /** `undefined`: HTTP Basic is off. */
    basicAuthUrl: env.BASIC_AUTH_URL || undefined,
    auditRepeatsSeconds: env.AUDIT_REPEATS_SECONDS,
    cacheKeys: env.CACHE_KEYS,
    cache: env.CACHE,
    config: env.CONFIG,
    lookUpsLimit: env.LOOKUPS,
    /** What is valid and weakens the deployment. */
    warnings: env.KEYSTONE_ALLOW_HTTP === 'true' ? [HTTP_WARNING] : [],
  }
}

function parseCallersSecret(secret: unknown): Result<Callers, readonly Fault[]> {
  if (secret === undefined || secret === '') return ok(NO_CALLERS)
  if (typeof secret !== 'string') return err([{ path: 'CALLERS', message: 'expected JSON text' }])
  const document = parseDocumentText(secret)
  const callers = document.ok ? parseCallers(document.value) : document
  if (callers.ok) return callers
  return err(callers.error.map(({ path, message }) => ({ path: path === '' ? 'CALLERS' : `CALLERS.${path}`, message })))
}

/** Names a variable that is not there at all, with what it should hold. */
function sayIfMissing(env: Readonly<Record<string, unknown>>): (fault: Fault) => Fault {
  return ({ path, message }) => ({
    path,
    message: env[path] !== undefined ? message : `is missing: ${message === 'is missing' ? REQUIRED[path] : message}`,
  })
}

/** What the variables without a default should hold. */
const REQUIRED: Readonly<Record<string, string>> = {
  KEYSTONE_URL: KEYSTONE_URL_RULE,
  CACHE_KEYS: CACHE_KEYS_RULE,
  CACHE: 'expected a KV namespace',
  CONFIG: 'expected a KV namespace',
}
