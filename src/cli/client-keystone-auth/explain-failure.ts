import { getCACertificates } from 'node:tls'
import type { LogInFailure } from '../../keystone/log-in.ts'
import type { Unavailable } from '../../keystone/unavailable.ts'
import type { Transport } from '../shared/node-fetch.ts'
import { type OptionName, SECRETS } from '../shared/openstack/options.ts'
import { describeOrigin, type Settings } from '../shared/openstack/settings.ts'

/** What a failed log-in was made of. */
export interface Attempt {
  readonly authUrl: string
  readonly settings: Settings
  readonly transport: Pick<Transport, 'lastErrorCode' | 'lastRedirect'>
  /** Secrets that were typed, beside those of the settings. */
  readonly typedSecrets: readonly string[]
  /** Whether the same user was let in without the scope; `undefined` where that was not tried. */
  readonly worksWithoutScope?: boolean
}

/** Why there is no token, which values took part and where they came from, and what to do: for people, without a secret. */
export function explainFailure(failure: LogInFailure, attempt: Attempt): string {
  switch (failure.reason) {
    case 'unavailable':
      return explainUnavailable(failure, attempt)
    case 'more_methods':
      return `Keystone asks for more than one method (${failure.required.map((set) => set.join(' + ')).join(', or ')}): set OS_PASSCODE, or run kubectl on a terminal with interactiveMode IfAvailable`
    case 'refused':
      return explainRefusal(failure, attempt)
  }
}

const GENERIC = 'The request you have made requires authentication.'
const WHO: readonly OptionName[] = [
  'user_id',
  'username',
  'user_domain_id',
  'user_domain_name',
  'application_credential_id',
  'application_credential_name',
  'identity_provider',
  'protocol',
]
const WHAT_FOR: readonly OptionName[] = [
  'project_id',
  'project_name',
  'project_domain_id',
  'project_domain_name',
  'domain_id',
  'domain_name',
  'default_domain',
  'system_scope',
  'trust_id',
]

function explainRefusal(failure: Extract<LogInFailure, { reason: 'refused' }>, attempt: Attempt): string {
  const { settings, authUrl } = attempt
  const more = sayWhatKeystoneSays(failure.message, attempt)
  if (failure.status === 429) return `Keystone at ${authUrl} is asked too often (status 429): try again later.${more}`
  if (failure.status === 404 && more === '')
    return `there is no Identity API v3 at ${authUrl} (${originOf('auth_url', settings)}): check the URL`
  if (failure.status !== 401) return `Keystone at ${authUrl} refuses the log-in (status ${failure.status}).${more}`
  if (attempt.worksWithoutScope === true)
    return `Keystone lets the user in, but not for what the token is asked for: it does not exist, or the user has no role on it. ${list(WHAT_FOR, settings)}.${more}`
  if (settings.has('application_credential_secret'))
    return `Keystone refuses the application credential: its id or name, its secret or its user is wrong, or it has expired or was deleted. ${list([...WHO, ...SECRETS], settings)}.${more}`
  const scope = attempt.worksWithoutScope === false ? [] : WHAT_FOR
  const what = scope.some((name) => settings.has(name)) ? ', or the user has no role on what the token is for' : ''
  return `Keystone refuses the log-in: the user, the domain, the password or the passcode is wrong${what}. ${list([...WHO, ...SECRETS, ...scope], settings)}.${more}`
}

/** The server's text, unless it is the usual one, or repeats a secret in any form: some echo the request. */
function sayWhatKeystoneSays(message: string, { settings, typedSecrets }: Attempt): string {
  const secrets = [...settings].flatMap(([name, { value }]) => (SECRETS.has(name) ? [value] : []))
  const forms = [...secrets, ...typedSecrets].flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
  ])
  if (forms.some((form) => message.includes(form))) return ' Its message repeats a secret, and is not shown.'
  const said = toPlainLine(message)
  return said === '' || said.startsWith(GENERIC) ? '' : ` Keystone says: ${said}`
}

function explainUnavailable(failure: Unavailable, { authUrl, settings, transport }: Attempt): string {
  const keystone = `Keystone at ${authUrl} (${originOf('auth_url', settings)})`
  switch (failure.cause) {
    case 'timeout':
      return `${keystone} did not answer in time: check the URL, the network and the proxy`
    case 'redirect':
      return `${keystone} redirects to ${toPlainLine(transport.lastRedirect() ?? 'another place')}: a redirect is not followed with a password; set the URL to where Keystone is`
    case 'network':
      return explainErrorCode(keystone, transport.lastErrorCode(), settings)
    case 'status':
      return `${keystone} answers with status ${failure.status}: Keystone, or what stands in front of it, is out of order; try again later`
    default:
      return `${keystone} answers, but not as Keystone does: check the URL`
  }
}

const NOT_TRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/** Earlier versions of Node do not read the store of these systems. */
const NODE_HINT =
  (process.platform === 'darwin' || process.platform === 'win32') && typeof getCACertificates !== 'function'
    ? ", or use Node 22.15 or later, which reads this system's authorities"
    : ''

/** What an error code of Node or OpenSSL means, for Keystone or an OpenID provider. */
export function explainErrorCode(server: string, code: string | undefined, settings: Settings): string {
  if (code === undefined) return `${server} broke off its answer: try again`
  if (NOT_TRUSTED.has(code)) {
    const cacert = settings.get('cacert')
    const trusted = cacert === undefined ? 'the authorities of this machine' : describeOrigin(cacert.origin)
    return `${server} has a certificate that is signed by nobody in ${trusted} (${code}): put the file of its authority into cacert (OS_CACERT, --cacert)${NODE_HINT}`
  }
  if (code.startsWith('ERR_OSSL') && settings.has('cert'))
    return `the client certificate cannot be used (${code}): cert and key have to belong together, and the key must have no password`
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `${server} has a certificate that has expired or is not valid yet, by the clock of this machine (${new Date().toISOString()}): check the clock, or renew the certificate`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `${server} has a certificate for another host name: check the URL`
    case 'ECONNREFUSED':
      return `${server} refuses the connection: is the port right, does Keystone run?`
    case 'ECONNRESET':
      return `${server} closes the connection: is it https, or does something in between refuse it?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${server} has a host name that is not found: check the URL, the name servers and the VPN`
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${server} does not speak TLS on this port: is it http?`
    default:
      return `${server} cannot be reached (${code}): check the URL, the network and the proxy`
  }
}

function originOf(name: OptionName, settings: Settings): string {
  const setting = settings.get(name)
  return setting === undefined ? 'typed' : describeOrigin(setting.origin)
}

/** `username "alice" (variable OS_USERNAME), password (clouds.yaml line 7)`. */
function list(names: readonly OptionName[], settings: Settings): string {
  const known = names.flatMap((name) => {
    const setting = settings.get(name)
    if (setting === undefined) return []
    const value = SECRETS.has(name) ? '' : ` "${toPlainLine(setting.value)}"`
    return [`${name.replaceAll('_', ' ')}${value} (${describeOrigin(setting.origin)})`]
  })
  return known.length === 0 ? 'All of it was typed' : `It was: ${known.join(', ')}`
}

/** A text of a server or file for a terminal: one line, bounded, without control, bidirectional and invisible characters. */
export function toPlainLine(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean
}
