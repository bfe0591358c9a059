import * as v from 'valibot'
import { tidy } from '../tidy.ts'
import type { WebhookAnswer } from './ask-webhook.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

const Faults = v.array(v.object({ path: v.string(), message: v.string() }))

/** The answer of `/readyz` (docs/operations.md, "Readiness"). */
const ReadySchema = v.object({
  keystone: v.object({ reachable: v.boolean(), reason: v.optional(v.string()) }),
  breaker: v.string(),
  settings: Faults,
  warnings: Faults,
  documents: v.record(
    v.string(),
    v.object({ source: v.string(), ageSeconds: v.number(), digest: v.nullable(v.string()), faults: Faults }),
  ),
})
type Ready = v.InferOutput<typeof ReadySchema>

/** The checks that `/readyz` answers, without those of its documents. */
export const READY_CHECKS = ['settings', 'keystone', 'breaker', 'warnings', 'documents'] as const

/** What `/readyz` says: settings, Keystone from the edge, breaker, warnings, and each document. */
export function checkReady({ status, body }: WebhookAnswer): Finding[] {
  const parsed = v.safeParse(ReadySchema, body)
  if (!parsed.success)
    return [failed('readyz', `the answer (${status}) is not that of /readyz`, 'look at the log of the Worker')]
  const { settings, keystone, breaker, warnings, documents } = parsed.output
  const checked = [checkSettings(settings), ...checkKeystone(keystone, breaker, settings.length > 0)]
  const warned =
    warnings.length === 0
      ? ok('warnings', 'none')
      : warning('warnings', list(warnings), 'correct what is not meant; check shows these with their lines')
  return [...checked, warned, ...Object.entries(documents).map(([name, one]) => checkDocument(name, one))]
}

function checkSettings(settings: Ready['settings']): Finding {
  if (settings.length === 0) return ok('settings', 'no faults')
  return failed('settings', list(settings), 'correct wrangler.toml or the secrets, and deploy: README, "Configuration"')
}

function checkKeystone({ reachable, reason }: Ready['keystone'], breaker: string, isFaulty: boolean): Finding[] {
  const reached = reachable
    ? ok('keystone', 'reachable from the edge')
    : failed('keystone', tidy(`not reachable from the edge: ${reason ?? 'no reason'}`), fixKeystone(reason, isFaulty))
  const state =
    breaker === 'closed'
      ? ok('breaker', 'closed')
      : warning('breaker', tidy(breaker), 'Keystone failed or was late lately: check it, and the distance to it')
  return [reached, state]
}

function fixKeystone(reason: string | undefined, isFaulty: boolean): string {
  if (isFaulty) return 'correct the settings first'
  return reason?.startsWith('answers') === true
    ? 'set KEYSTONE_URL to the root of the Identity API, with /v3'
    : 'check KEYSTONE_URL, the firewall and the certificate of Keystone: docs/deployment.md, "Private Keystone"'
}

/** What the absence of a document means; of others it is no fault. */
const ABSENT: Readonly<Record<string, string>> = {
  callers: 'none; the secret CALLERS has the callers',
  policy: 'none: no opinion on any request',
  authenticators: 'none: tokens of Keystone only',
  'keystone-keys': 'none: signatures of JWS tokens are not checked',
}

function checkDocument(name: string, { source, ageSeconds, digest, faults }: Ready['documents'][string]): Finding {
  const check = `document ${tidy(name)}`
  const version = `${(digest ?? '').slice(0, 12)}, read ${ageSeconds} s ago`
  const kind = name.split('/').at(-1) ?? name
  if (source === 'config' && faults.length === 0) return ok(check, version)
  if (source === 'none' && faults.length === 0)
    return kind === 'mapping'
      ? failed(check, 'none: no user of Keystone can log in', 'put {} for the default user mapping')
      : ok(check, ABSENT[kind] ?? 'none')
  const inForce = source === 'last-good' ? `the last good version is in force (${version})` : 'no version is in force'
  return failed(check, `${inForce}: ${list(faults)}`, `correct it: keystone-edge-auth ${tidy(kind)} check, then put`)
}

function list(faults: Ready['settings']): string {
  return tidy(faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '))
}
