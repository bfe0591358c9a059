import type { IssuedToken } from '../../keystone/log-in.ts'
import { revealToken } from '../../lib/secret.ts'
import { usesProxy } from '../shared/node-fetch.ts'
import { toAuthUrl } from '../shared/openstack/auth-url.ts'
import { type Cloud, readCloud } from '../shared/openstack/cloud.ts'
import { guardSecrets } from '../shared/openstack/guard-secrets.ts'
import { type OptionName, SECRETS } from '../shared/openstack/options.ts'
import type { Ask } from '../shared/openstack/plan-log-in.ts'
import { mergeSettings, type Setting, type Settings } from '../shared/openstack/settings.ts'
import { UsageError } from '../shared/usage-error.ts'
import type { CredentialOptions } from './credential-options.ts'
import { toPlainLine } from './explain-failure.ts'
import type { LogInInputs } from './log-in-inputs.ts'
import { obtainToken, type TypedAnswers } from './obtain-token.ts'
import { readTls, tlsFilesOf } from './tls-files.ts'
import type { CachedToken } from './token-cache.ts'

/**
 * Logs in with these inputs. `typed` receives what was asked for on the terminal.
 * @throws UsageError that says why there is no token
 */
export async function logInAnew(
  inputs: LogInInputs,
  options: CredentialOptions,
  typed: TypedAnswers,
): Promise<CachedToken> {
  const { clock, tell } = options
  const canAsk = options.canAsk()
  const { settings, cloud } = readSettings(inputs)
  if (!inputs.allowsOverride) guardAgainstProxy(settings)
  const ask = canAsk ? createAsk(settings, typed) : async () => undefined
  const complete = await withAuthUrl(settings, ask)
  const files = tlsFilesOf(complete)
  if (files.insecure) tell('the certificate of Keystone is not verified: anybody on the way can read the password')
  warnOfPlainHttp(toAuthUrl(complete), tell)
  const tls = readTls(files)
  const issued = await obtainToken(complete, { clock, ask, typed, tls, tell, canAsk })
  warnOfRefusal(issued, tell)
  return {
    token: revealToken(issued.token),
    expiresAtMs: expiryOf(issued, clock.now()),
    authUrl: toAuthUrl(complete),
    cloud: cloud?.name,
    source: cloud === undefined ? 'flags and variables' : cloud.file.path,
    user: toPlainLine(`${issued.user.name} (${issued.user.domain})`),
    scope: toPlainLine(issued.scope),
    tls: files,
  }
}

/** Flags, variables and the cloud as one, after the check that no secret goes where its owner did not put it. */
function readSettings(inputs: LogInInputs): { readonly settings: Settings; readonly cloud: Cloud | undefined } {
  const { files, flags, variables, allowsOverride } = inputs
  const cloud = readCloud(files, { name: inputs.cloud, allowsForeignSecrets: allowsOverride })
  const settings = mergeSettings(flags, variables, cloud?.settings ?? new Map())
  if (!allowsOverride) guardSecrets(settings, cloud)
  return { settings, cloud }
}

/** A proxy reads what goes over http, and a kubeconfig can set the variable that names one. */
function guardAgainstProxy(settings: Settings): void {
  const hasFileSecret = [...settings].some(([name, { origin }]) => SECRETS.has(name) && origin.kind === 'file')
  if (!hasFileSecret || !settings.has('auth_url')) return
  const authUrl = toAuthUrl(settings)
  if (authUrl.startsWith('http:') && usesProxy(authUrl))
    throw new UsageError(
      `${authUrl} is http, and HTTP_PROXY or ALL_PROXY would give the secret of the clouds file to a proxy: use https, set NO_PROXY, or give --allow-auth-url-override`,
    )
}

async function withAuthUrl(settings: Settings, ask: Ask): Promise<Settings> {
  if (settings.has('auth_url')) return settings
  const value = await ask('auth_url')
  if (value === undefined || value === '') return settings
  return new Map([...settings, ['auth_url', { value, origin: { kind: 'flag', flag: 'keystone-url' } } as Setting]])
}

const QUESTIONS: Partial<Record<OptionName, string>> = {
  auth_url: 'Keystone URL',
  username: 'User name',
  domain_name: 'Domain name',
  project_name: 'Project name (empty for none)',
}

function createAsk(settings: Settings, typed: TypedAnswers): Ask {
  let typedUser: string | undefined
  return async (name) => {
    const { promptUser } = await import('../shared/prompt.ts')
    const label = QUESTIONS[name] ?? name.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase())
    const url = settings.get('auth_url')?.value
    const user = settings.get('username')?.value ?? typedUser
    const whose = SECRETS.has(name) && url !== undefined ? ` for ${user === undefined ? '' : `${user} at `}${url}` : ''
    typed.count += 1
    const answer = await promptUser(`${label}${whose}: `, { hidden: SECRETS.has(name) })
    if (name === 'username') typedUser = answer
    if (SECRETS.has(name) && answer !== '') typed.secrets.push(answer)
    return answer
  }
}

const MARGIN_MS = 120_000

/**
 * When to ask again: the life that Keystone gives the token, counted from now, so that a wrong clock of this machine
 * changes nothing, less two minutes or a tenth of the life.
 */
export function expiryOf({ issuedAtMs, expiresAtMs }: IssuedToken, nowMs: number): number {
  const lifeMs = expiresAtMs - issuedAtMs
  return nowMs + Math.max(lifeMs - Math.min(MARGIN_MS, lifeMs / 10), 1000)
}

function warnOfPlainHttp(authUrl: string, tell: (message: string) => void): void {
  const { protocol, hostname } = new URL(authUrl)
  if (protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname))
    tell(`${authUrl} is http: anybody on the way can read the password`)
}

/** What the webhook refuses, unless the administrators of the cluster allow it. */
function warnOfRefusal(issued: IssuedToken, tell: (message: string) => void): void {
  if (issued.isUnscoped) tell('the token is for no project: the cluster most likely refuses it; set OS_PROJECT_NAME')
  if (issued.hasAccessRules)
    tell('the application credential has access rules: keystone-edge-auth refuses its tokens; create one without')
  if (issued.isImpersonating) tell('the token is of a trust and speaks for another user: the cluster may refuse it')
}
