import * as v from 'valibot'
import { type Fetch, send } from '../../keystone/api.ts'
import { type Unavailable, unavailable } from '../../keystone/unavailable.ts'
import { readBoundedText } from '../../lib/bounded-text.ts'
import type { Clock } from '../../lib/clock.ts'
import { err, ok, type Result } from '../../lib/result.ts'
import { concealToken, type Token } from '../../lib/secret.ts'
import type { OptionName } from './openstack/options.ts'
import type { OpenIdPlan } from './openstack/plan-log-in.ts'
import { UsageError } from './usage-error.ts'

interface OpenIdDeps {
  readonly fetch: Fetch
  readonly userAgent: string
  readonly clock: Clock
  /** Tells the user where to confirm a device, and which code to enter. */
  readonly tellUser: (message: string) => void
}

/** Why there is no access token: an error code of RFC 6749 or RFC 8628, a status, or no connection. */
export interface OpenIdFailure {
  readonly url: string
  readonly reason: string
}

const Discovery = v.object({
  token_endpoint: v.optional(v.string()),
  device_authorization_endpoint: v.optional(v.string()),
})
const TokenAnswer = v.object({ access_token: v.pipe(v.string(), v.nonEmpty()) })
const ErrorAnswer = v.object({ error: v.pipe(v.string(), v.regex(/^[\w.:/ -]{1,80}$/)) })
const DeviceAnswer = v.object({
  device_code: v.string(),
  user_code: v.pipe(v.string(), v.regex(/^[\x21-\x7e ]{1,64}$/)),
  verification_uri: v.pipe(v.string(), v.url()),
  verification_uri_complete: v.optional(v.pipe(v.string(), v.url())),
  expires_in: v.number(),
  interval: v.optional(v.number(), 5),
})

const REQUEST_TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 256 * 1024
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/**
 * Gets an access token from an OpenID provider: RFC 6749 section 4.3 (password) and 4.4 (client credentials), RFC 8628
 * (device). The client proves itself by HTTP Basic (section 2.3.1) where it has a secret.
 * @throws UsageError when the settings name no endpoint, or one without https
 */
export async function getAccessToken(plan: OpenIdPlan, deps: OpenIdDeps): Promise<Result<Token, OpenIdFailure>> {
  const value = (name: OptionName): string => plan.settings.get(name)?.value ?? ''
  if (plan.grant === 'given') return ok(concealToken(value('access_token')))
  const provider = new OpenIdProvider(plan.settings, deps)
  const scope = value('openid_scope') || 'openid profile'
  switch (plan.grant) {
    case 'client_credentials':
      return provider.requestToken({ grant_type: 'client_credentials', scope })
    case 'password':
      return provider.requestToken({
        grant_type: 'password',
        username: value('username'),
        password: value('password'),
        scope,
      })
    case 'device':
      return provider.authorizeDevice(scope)
  }
}

class OpenIdProvider {
  readonly #settings: OpenIdPlan['settings']
  readonly #deps: OpenIdDeps

  constructor(settings: OpenIdPlan['settings'], deps: OpenIdDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  async requestToken(parameters: Readonly<Record<string, string>>): Promise<Result<Token, OpenIdFailure>> {
    const url = await this.#endpoint('access_token_endpoint', 'token_endpoint')
    if (!url.ok) return url
    const answer = await this.#post(url.value, parameters)
    if (!answer.ok) return answer
    const parsed = v.safeParse(TokenAnswer, answer.value)
    return parsed.success
      ? ok(concealToken(parsed.output.access_token))
      : err({ url: url.value, reason: 'answered without an access token' })
  }

  async authorizeDevice(scope: string): Promise<Result<Token, OpenIdFailure>> {
    const { clock, tellUser } = this.#deps
    const url = await this.#endpoint('device_authorization_endpoint', 'device_authorization_endpoint')
    if (!url.ok) return url
    const answer = await this.#post(url.value, { scope })
    if (!answer.ok) return answer
    const parsed = v.safeParse(DeviceAnswer, answer.value)
    if (!parsed.success) return err({ url: url.value, reason: 'answered without a device code' })
    const device = parsed.output
    // As a parsed URL it holds no control character.
    const { href } = new URL(device.verification_uri_complete ?? device.verification_uri)
    tellUser(`Open ${href} and confirm the code ${device.user_code}`)
    const endMs = clock.now() + device.expires_in * 1000
    // RFC 8628, section 3.5: five seconds more after each slow_down.
    for (let waitMs = device.interval * 1000; clock.now() < endMs; ) {
      await new Promise<void>((resolve) => clock.startTimer(waitMs, resolve))
      const token = await this.requestToken({ grant_type: DEVICE_GRANT, device_code: device.device_code })
      if (token.ok || (token.error.reason !== 'authorization_pending' && token.error.reason !== 'slow_down'))
        return token
      if (token.error.reason === 'slow_down') waitMs += 5000
    }
    return err({ url: url.value, reason: 'expired_token' })
  }

  /** Where the settings name no endpoint, the provider's discovery document does (OpenID Connect Discovery, section 4). */
  async #endpoint(
    setting: 'access_token_endpoint' | 'device_authorization_endpoint',
    key: 'token_endpoint' | 'device_authorization_endpoint',
  ): Promise<Result<string, OpenIdFailure>> {
    const given = this.#settings.get(setting)?.value
    if (given !== undefined) return ok(requireSecure(given, setting))
    const discovery = this.#settings.get('discovery_endpoint')?.value
    if (discovery === undefined)
      throw new UsageError(`the OpenID provider is missing: set discovery_endpoint, or ${setting}`)
    const answer = await this.#send(requireSecure(discovery, 'discovery_endpoint'), { method: 'GET' })
    if (!answer.ok) return answer
    const parsed = v.safeParse(Discovery, answer.value)
    const url = parsed.success ? parsed.output[key] : undefined
    return url === undefined ? err({ url: discovery, reason: `names no ${key}` }) : ok(requireSecure(url, key))
  }

  #post(url: string, parameters: Readonly<Record<string, string>>): Promise<Result<unknown, OpenIdFailure>> {
    const [id, secret] = [this.#settings.get('client_id')?.value ?? '', this.#settings.get('client_secret')?.value]
    const body = new URLSearchParams(secret === undefined ? { ...parameters, client_id: id } : parameters)
    const basic = `${encodeURIComponent(id)}:${encodeURIComponent(secret ?? '')}`
    const authorization = secret !== undefined && { Authorization: `Basic ${Buffer.from(basic).toString('base64')}` }
    return this.#send(url, {
      method: 'POST',
      headers: { ...authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    })
  }

  async #send(url: string, init: { method: string; headers?: Record<string, string>; body?: string }) {
    const { clock, fetch, userAgent } = this.#deps
    const deps = { fetch, url, timeoutMs: REQUEST_TIMEOUT_MS, userAgent, clock }
    const request = { ...init, headers: { ...init.headers, Accept: 'application/json' } }
    const answer = await send(deps, request, clock.now() + REQUEST_TIMEOUT_MS, readAnswer)
    if (!answer.ok) return err({ url, reason: REASONS[answer.error.cause] ?? 'gave no answer' })
    const { status, body } = answer.value
    if (status === 200) return ok(body)
    const parsed = v.safeParse(ErrorAnswer, body)
    return err({ url, reason: parsed.success ? parsed.output.error : `answered with status ${status}` })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  timeout: 'did not answer in time',
  redirect: 'answered with a redirect, which is not followed with a secret',
  malformed: 'answered, but not in JSON',
}

async function readAnswer(response: Response): Promise<Result<{ status: number; body: unknown }, Unavailable>> {
  const text = await readBoundedText(response, MAX_ANSWER_BYTES)
  try {
    return ok({ status: response.status, body: text.ok ? JSON.parse(text.value) : undefined })
  } catch {
    return response.status === 200
      ? err(unavailable('malformed', response.status))
      : ok({ status: response.status, body: undefined })
  }
}

/** Passwords and client secrets travel there, so http is for loopback only. */
function requireSecure(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLoopback = url !== undefined && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return text
  throw new UsageError(`${name} is no https URL`)
}
