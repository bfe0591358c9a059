import { isIP } from 'node:net'
import { getProxyForUrl } from 'proxy-from-env'
import * as v from 'valibot'
import { askWebhook, type Webhook, type WebhookAnswer } from './ask-webhook.ts'
import { explainConnection } from './connection-fault.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

type Resolve = (hostname: string) => Promise<readonly string[]>

/** Whether the host name has an address. Behind a proxy the proxy resolves it. */
export async function checkDns(url: string, resolve: Resolve): Promise<Finding> {
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(hostname) !== 0) return ok('dns', `${hostname} is an address`)
  if (getProxyForUrl(url) !== '') return ok('dns', `the proxy of the environment resolves ${hostname}`)
  try {
    return ok('dns', `${hostname} is ${(await resolve(hostname)).join(', ')}`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no error code'
    return failed('dns', `${hostname} has no address (${code})`, 'check the host of --url, its DNS record and VPN')
  }
}

/** A first request, which sends no credential: what it tells of the connection, and its answer. */
export interface Reached {
  readonly finding: Finding
  readonly answer?: WebhookAnswer
}

const RENEW_WITHIN_DAYS = 14
const DAY_MS = 24 * 3600 * 1000

/** Whether the server is who it says it is, and for how long its certificate is good. Asks `/healthz`. */
export async function checkTls(webhook: Webhook): Promise<Reached> {
  const asked = await askWebhook(webhook, { path: '/healthz' })
  if (!asked.ok) return { finding: explainConnection('tls', asked.code) }
  const { answer } = asked
  if (!webhook.url.startsWith('https:')) return { finding: ok('tls', 'http to this machine'), answer }
  const endMs = webhook.transport.lastCertificateEndMs()
  if (endMs === undefined) return { finding: ok('tls', 'the certificate is trusted'), answer }
  const end = new Date(endMs).toISOString()
  const days = Math.floor((endMs - webhook.now()) / DAY_MS)
  const message = `the certificate is trusted, and good for ${days} days, until ${end}`
  const finding = days < RENEW_WITHIN_DAYS ? warning('tls', message, 'renew the certificate soon') : ok('tls', message)
  return { finding, answer }
}

const Health = v.object({ status: v.literal('ok'), version: v.string() })

/** Whether the Worker, and nothing in front of it, answers `/healthz`. */
export function checkHealth({ status, body }: WebhookAnswer): Finding {
  const parsed = v.safeParse(Health, body)
  if (status === 200 && parsed.success) return ok('healthz', `keystone-edge-auth ${parsed.output.version}`)
  if (status >= 300 && status < 400)
    return failed('healthz', `the answer is a redirect (${status})`, 'give the final address; kube-apiserver needs it')
  const fix =
    status === 403 || status === 503
      ? 'rules in front of the Worker may stop it: docs/deployment.md, "WAF and bot rules"'
      : 'check --url: the address of the Worker, without /webhook'
  return failed('healthz', `the answer (${status}) is not that of keystone-edge-auth`, fix)
}

const SKEW_WARNING_MS = 5_000

/** How far the clock of this machine is from that of the edge. `Date` has whole seconds. */
export function checkClock({ dateMs, atMs, elapsedMs }: WebhookAnswer): Finding {
  if (dateMs === undefined) return ok('clock', 'not compared: the answer has no Date')
  const skewMs = atMs - elapsedMs / 2 - (dateMs + 500)
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (Math.abs(skewMs) <= SKEW_WARNING_MS) return ok('clock', `within ${Math.max(1, seconds)} s of the edge's`)
  const direction = skewMs > 0 ? 'fast' : 'slow'
  return warning(
    'clock',
    `the clock of this machine is ${seconds} s ${direction}, by the answer's Date`,
    'set the clock (NTP): tokens seem to expire too early or too late',
  )
}
