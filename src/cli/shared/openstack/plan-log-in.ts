import type { AuthMethod, DomainReference, LogInScope, Reference } from '../../../keystone/log-in.ts'
import { concealToken } from '../../../lib/secret.ts'
import { UsageError } from '../usage-error.ts'
import type { AuthType } from './auth-type.ts'
import { type OptionName, SECRETS } from './options.ts'
import { describeOrigin, rankOf, type Settings } from './settings.ts'

/** Asks the user for a setting; `undefined` where nobody can be asked. */
export type Ask = (name: OptionName) => Promise<string | undefined>

/** What a user of an OpenID provider proves there, for an access token. */
export interface OpenIdPlan {
  readonly identityProvider: string
  readonly protocol: string
  readonly grant: 'given' | 'client_credentials' | 'password' | 'device'
  readonly settings: Settings
}

/** What is sent to log in. */
export interface LogInPlan {
  readonly methods: readonly AuthMethod[]
  /** First an access token of an OpenID provider, then Keystone; `methods` is empty. */
  readonly openId?: OpenIdPlan
  readonly scope: LogInScope
}

/**
 * Turns settings into what is sent, and asks for what is missing.
 * @throws UsageError for what is missing and cannot be asked for, and for scopes that exclude each other
 */
export async function planLogIn(settings: Settings, type: AuthType, ask: Ask): Promise<LogInPlan> {
  const planner = new Planner(settings, ask)
  if (type.startsWith('oidc')) return { methods: [], openId: await planner.openId(type), scope: await planner.scope() }
  const methods: AuthMethod[] = []
  for (const name of type === 'multifactor' ? methodsOf(settings) : [type]) methods.push(await planner.method(name))
  const isScopeGiven = methods.some(({ method }) => method === 'application_credential')
  return { methods, scope: isScopeGiven ? { kind: 'default' } : await planner.scope() }
}

/** The passcode that a receipt asks for; `undefined` where nobody can be asked. */
export async function planPasscode(settings: Settings, ask: Ask): Promise<AuthMethod | undefined> {
  const passcode = settings.get('passcode')?.value ?? (await ask('passcode'))
  if (passcode === undefined || passcode === '') return undefined
  return { method: 'totp', user: await new Planner(settings, ask).user(), passcode }
}

function methodsOf(settings: Settings): readonly string[] {
  const listed = settings.get('auth_methods')?.value
  if (listed === undefined) return ['password', 'totp']
  return listed.split(',').map((method) => method.trim().replace(/^v3/, ''))
}

class Planner {
  readonly #settings: Settings
  readonly #ask: Ask
  readonly #answers = new Map<OptionName, string>()

  constructor(settings: Settings, ask: Ask) {
    this.#settings = settings
    this.#ask = ask
  }

  async method(name: string): Promise<AuthMethod> {
    switch (name) {
      case 'password':
        return { method: 'password', user: await this.user(), password: await this.#need('password') }
      case 'totp':
        return { method: 'totp', user: await this.user(), passcode: await this.#need('passcode') }
      case 'token':
        return { method: 'token', token: concealToken(await this.#need('token')) }
      case 'applicationcredential': {
        const id = this.#get('application_credential_id')
        const credential =
          id === undefined ? { name: await this.#need('application_credential_name'), user: await this.user() } : { id }
        return {
          method: 'application_credential',
          credential,
          secret: await this.#need('application_credential_secret'),
        }
      }
      default:
        throw new UsageError(
          `auth_methods names ${name}: use v3password, v3totp, v3token or v3applicationcredential, separated by commas`,
        )
    }
  }

  async openId(type: AuthType): Promise<OpenIdPlan> {
    const [identityProvider, protocol] = [await this.#need('identity_provider'), await this.#need('protocol')]
    const filled = new Map(this.#settings)
    const fill = async (...names: OptionName[]): Promise<void> => {
      for (const name of names) {
        const value = await this.#need(name)
        if (!filled.has(name)) filled.set(name, { value, origin: { kind: 'flag', flag: name } })
      }
    }
    const plan = (grant: OpenIdPlan['grant']): OpenIdPlan => ({ identityProvider, protocol, grant, settings: filled })
    switch (type) {
      case 'oidcaccesstoken':
        await fill('access_token')
        return plan('given')
      case 'oidcclientcredentials':
        await fill('client_id', 'client_secret')
        return plan('client_credentials')
      case 'oidcpassword':
        await fill('client_id', 'username', 'password')
        return plan('password')
      default:
        await fill('client_id')
        return plan('device')
    }
  }

  async user(): Promise<Reference> {
    const id = this.#get('user_id')
    if (id !== undefined) return { id }
    const name = await this.#need('username')
    return { name, domain: this.#domain('user') ?? { name: await this.#need('domain_name') } }
  }

  /** The scope from the strongest source; without any the token is for the user's default project, or unscoped. */
  async scope(): Promise<LogInScope> {
    const wanted = [this.#projectScope(), this.#systemScope(), this.#trustScope(), this.#domainScope()]
      .filter((candidate) => candidate !== undefined)
      .sort((one, other) => one.rank - other.rank)
    const [first, second] = wanted
    if (first === undefined) return this.#askForScope()
    if (second !== undefined && second.rank === first.rank)
      throw new UsageError(`${first.from} and ${second.from} name two scopes: take one away`)
    return first.scope()
  }

  #projectScope() {
    const id = this.#settings.get('project_id')
    const setting = id ?? this.#settings.get('project_name')
    if (setting === undefined) return undefined
    const project = id === undefined ? this.#project(setting.value) : { id: setting.value }
    return toCandidate(setting, { kind: 'project', project })
  }

  #systemScope() {
    const setting = this.#settings.get('system_scope')
    return setting && toCandidate(setting, { kind: 'system' })
  }

  #trustScope() {
    const setting = this.#settings.get('trust_id')
    return setting && toCandidate(setting, { kind: 'trust', id: setting.value })
  }

  /** A domain without a project is the scope, unless it is needed to name the user's domain, as the Go program has it. */
  #domainScope() {
    const hasProject = this.#get('project_id') ?? this.#get('project_name')
    const setting = this.#settings.get('domain_id') ?? this.#settings.get('domain_name')
    if (setting === undefined || hasProject !== undefined) return undefined
    const namesUser = this.#get('username') !== undefined
    if (namesUser && this.#pair('user_domain_id', 'user_domain_name') === undefined) return undefined
    const domain = this.#settings.has('domain_id') ? { id: setting.value } : { name: setting.value }
    return toCandidate(setting, { kind: 'domain', domain })
  }

  #project(name: string): Reference {
    const domain = this.#domain('project')
    if (domain === undefined)
      throw new UsageError(`project ${name} lies in no domain: set project_domain_name (OS_PROJECT_DOMAIN_NAME)`)
    return { name, domain }
  }

  /** The Go program asks for a project too; an empty answer is none. */
  async #askForScope(): Promise<LogInScope> {
    if (this.#answers.size === 0) return { kind: 'default' }
    const name = await this.#ask('project_name')
    return name === undefined || name === '' ? { kind: 'default' } : { kind: 'project', project: this.#project(name) }
  }

  /** A domain of its own, the common one, the default one; for a project at last the user's. */
  #domain(of: 'user' | 'project'): DomainReference | undefined {
    const own =
      of === 'user'
        ? this.#pair('user_domain_id', 'user_domain_name')
        : this.#pair('project_domain_id', 'project_domain_name')
    const fallback = this.#get('default_domain')
    return (
      own ??
      this.#pair('domain_id', 'domain_name') ??
      (fallback === undefined ? undefined : { id: fallback }) ??
      (of === 'project' ? this.#domain('user') : undefined)
    )
  }

  #pair(id: OptionName, name: OptionName): DomainReference | undefined {
    const [byId, byName] = [this.#get(id), this.#get(name)]
    if (byId !== undefined) return { id: byId }
    return byName === undefined ? undefined : { name: byName }
  }

  #get(name: OptionName): string | undefined {
    return this.#settings.get(name)?.value ?? this.#answers.get(name)
  }

  async #need(name: OptionName): Promise<string> {
    const known = this.#get(name)
    if (known !== undefined) return known
    const answer = await this.#ask(name)
    if (answer === undefined || answer === '') throw new UsageError(sayMissing(name))
    this.#answers.set(name, answer)
    return answer
  }
}

function toCandidate(setting: NonNullable<ReturnType<Settings['get']>>, scope: LogInScope) {
  return { rank: rankOf(setting), from: describeOrigin(setting.origin), scope: () => scope }
}

function sayMissing(name: OptionName): string {
  const label = name.replaceAll('_', ' ')
  const flag = SECRETS.has(name) ? '' : `, --${name.replaceAll('_', '-')}`
  return `the ${label} is missing: set OS_${name.toUpperCase()}${flag} or ${name} in clouds.yaml; on a terminal it is asked for unless kubectl says interactiveMode Never`
}
