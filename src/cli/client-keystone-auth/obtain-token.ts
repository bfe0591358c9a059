import { createKeystoneApi, type KeystoneApi } from '../../keystone/api.ts'
import { exchangeAccessToken, type IssuedToken, type LogInFailure, logIn } from '../../keystone/log-in.ts'
import type { Clock } from '../../lib/clock.ts'
import { err, type Result } from '../../lib/result.ts'
import { VERSION } from '../../lib/version.ts'
import { createTransport, type TlsSettings, type Transport } from '../shared/node-fetch.ts'
import { toAuthType } from '../shared/openstack/auth-type.ts'
import { toAuthUrl } from '../shared/openstack/auth-url.ts'
import { type Ask, type LogInPlan, type OpenIdPlan, planLogIn, planPasscode } from '../shared/openstack/plan-log-in.ts'
import type { Settings } from '../shared/openstack/settings.ts'
import { UsageError } from '../shared/usage-error.ts'
import { explainErrorCode, explainFailure } from './explain-failure.ts'

const REQUEST_TIMEOUT_MS = 30_000
const USER_AGENT = `client-keystone-auth/${VERSION}`

/** What the user typed in this run. */
export interface TypedAnswers {
  count: number
  readonly secrets: string[]
}

export interface ObtainDeps {
  readonly clock: Clock
  readonly ask: Ask
  /** What was typed: then a wrong password is tried once only, because Keystone may lock the user. */
  readonly typed: TypedAnswers
  readonly tls: TlsSettings
  /** Warnings and instructions, on standard error. */
  readonly tell: (message: string) => void
  /** Whether the user can be shown what to do: a device is confirmed by him. */
  readonly canAsk: boolean
}

/** The client of one Keystone for command lines, with what its last request met. */
export function connectKeystone(
  url: string,
  tls: TlsSettings,
  clock: Clock,
): { readonly api: KeystoneApi; readonly transport: Transport } {
  const transport = createTransport(tls)
  return {
    transport,
    api: createKeystoneApi({
      fetch: transport.fetch,
      url,
      timeoutMs: REQUEST_TIMEOUT_MS,
      userAgent: USER_AGENT,
      clock,
    }),
  }
}

/**
 * Logs in as the settings say.
 * @throws UsageError that says why there is no token, which values took part and what to do
 */
export async function obtainToken(settings: Settings, deps: ObtainDeps): Promise<IssuedToken> {
  const authUrl = toAuthUrl(settings)
  const plan = await planLogIn(settings, toAuthType(settings), deps.ask)
  const { api, transport } = connectKeystone(authUrl, deps.tls, deps.clock)
  const attempt = new Attempt(api, settings, deps)
  const issued = await attempt.run(plan, transport)
  warnOfClock(transport.lastDateMs(), deps)
  if (issued.ok) return issued.value
  const works = await attempt.worksWithoutScope(plan, issued.error)
  const tried = works === undefined ? {} : { worksWithoutScope: works }
  throw new UsageError(
    explainFailure(issued.error, { authUrl, settings, transport, typedSecrets: deps.typed.secrets, ...tried }),
  )
}

class Attempt {
  readonly #api: KeystoneApi
  readonly #settings: Settings
  readonly #deps: ObtainDeps
  #isLetIn = false

  constructor(api: KeystoneApi, settings: Settings, deps: ObtainDeps) {
    this.#api = api
    this.#settings = settings
    this.#deps = deps
  }

  async run(plan: LogInPlan, transport: Transport): Promise<Result<IssuedToken, LogInFailure>> {
    if (plan.openId !== undefined) return this.#federate(plan.openId, plan, transport)
    const issued = await logIn(this.#api, plan, this.#deadline())
    if (issued.ok || issued.error.reason !== 'more_methods') return issued
    const { receipt, required } = issued.error
    const given = plan.methods.map(({ method }) => String(method))
    if (!required.some((set) => set.every((method) => method === 'totp' || given.includes(method)))) return issued
    const passcode = await planPasscode(this.#settings, this.#deps.ask)
    if (passcode === undefined) return issued
    return logIn(this.#api, { methods: [passcode], scope: plan.scope, receipt }, this.#deadline())
  }

  /** Keystone answers a wrong password and a project that does not exist alike; without the project it tells them apart. */
  async worksWithoutScope(plan: LogInPlan, failure: LogInFailure): Promise<boolean | undefined> {
    const isRepeatable = plan.methods.length > 0 && plan.methods.every(({ method }) => method === 'password')
    const isScoped = plan.scope.kind !== 'default' && plan.scope.kind !== 'unscoped'
    if (failure.reason !== 'refused' || failure.status !== 401) return undefined
    if (this.#isLetIn) return true
    if (!isRepeatable || !isScoped || this.#deps.typed.count > 0) return undefined
    const unscoped = await logIn(this.#api, { methods: plan.methods, scope: { kind: 'unscoped' } }, this.#deadline())
    if (unscoped.ok) return true
    return unscoped.error.reason === 'refused' ? false : undefined
  }

  async #federate(
    openId: OpenIdPlan,
    plan: LogInPlan,
    transport: Transport,
  ): Promise<Result<IssuedToken, LogInFailure>> {
    const { clock, tell, canAsk } = this.#deps
    if (openId.grant === 'device' && !canAsk)
      throw new UsageError(
        'v3oidcdeviceauthz needs somebody who confirms a code: run kubectl on a terminal with interactiveMode IfAvailable',
      )
    const { getAccessToken } = await import('../shared/openid-provider.ts')
    const access = await getAccessToken(openId, {
      fetch: transport.fetch,
      userAgent: USER_AGENT,
      clock,
      tellUser: tell,
    })
    if (!access.ok) {
      const provider = `the OpenID provider at ${access.error.url}`
      const code = transport.lastErrorCode()
      throw new UsageError(
        code === undefined
          ? `${provider} gives no access token: ${access.error.reason}`
          : explainErrorCode(provider, code, this.#settings),
      )
    }
    const { identityProvider, protocol } = openId
    const federation = { identityProvider, protocol, accessToken: access.value }
    const unscoped = await exchangeAccessToken(this.#api, federation, this.#deadline())
    if (!unscoped.ok) return err(unscoped.error)
    this.#isLetIn = true
    if (plan.scope.kind === 'default') return unscoped
    const methods = [{ method: 'token', token: unscoped.value.token }] as const
    return logIn(this.#api, { methods, scope: plan.scope }, this.#deadline())
  }

  #deadline(): number {
    return this.#deps.clock.now() + REQUEST_TIMEOUT_MS
  }
}

const MAX_SKEW_MS = 5 * 60_000

function warnOfClock(keystoneMs: number | undefined, { clock, tell }: ObtainDeps): void {
  if (keystoneMs === undefined) return
  const skewMs = clock.now() - keystoneMs
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return
  const minutes = Math.round(Math.abs(skewMs) / 60_000)
  tell(`the clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'} Keystone's: set it right`)
}
