import { UsageError } from '../usage-error.ts'
import { describeOrigin, type Settings } from './settings.ts'

/** How to log in: the auth plugins of keystoneauth that are supported, without `v3`. */
export type AuthType =
  | 'password'
  | 'token'
  | 'totp'
  | 'multifactor'
  | 'applicationcredential'
  | 'oidcaccesstoken'
  | 'oidcclientcredentials'
  | 'oidcpassword'
  | 'oidcdeviceauthz'

const TYPES: readonly AuthType[] = [
  'password',
  'token',
  'totp',
  'multifactor',
  'applicationcredential',
  'oidcaccesstoken',
  'oidcclientcredentials',
  'oidcpassword',
  'oidcdeviceauthz',
]

const APPLICATION_CREDENTIAL = 'use an application credential (v3applicationcredential)'
/** Auth plugins that are known and not supported, with what to use instead. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  oidcauthcode: 'it needs a browser: use v3oidcdeviceauthz, or an application credential',
  websso: 'it needs a browser: use v3oidcdeviceauthz, or an application credential',
  oauth1: APPLICATION_CREDENTIAL,
  oauth2clientcredential: APPLICATION_CREDENTIAL,
  oauth2mtlsclientcredential: APPLICATION_CREDENTIAL,
  kerberos: APPLICATION_CREDENTIAL,
  fedkerb: APPLICATION_CREDENTIAL,
  samlpassword: APPLICATION_CREDENTIAL,
  adfspassword: APPLICATION_CREDENTIAL,
  tokenlessauth: APPLICATION_CREDENTIAL,
  v2password: 'Keystone has no v2 any more: use v3password',
  v2token: 'Keystone has no v2 any more: use v3token',
  none: 'it asks no Keystone for a token',
  noauth: 'it asks no Keystone for a token',
  http_basic: 'it asks no Keystone for a token',
  admin_token: 'it asks no Keystone for a token',
}

/**
 * The auth type that the settings name, or that their values show where they name none.
 * @throws UsageError for a type that is unknown or not supported
 */
export function toAuthType(settings: Settings): AuthType {
  const setting = settings.get('auth_type')
  if (setting === undefined) return inferAuthType(settings)
  const name = setting.value.toLowerCase().replace(/^v3(?=.)/, '')
  const type = TYPES.find((candidate) => candidate === name)
  if (type !== undefined) return type
  const where = `auth_type ${setting.value} (${describeOrigin(setting.origin)})`
  const instead = UNSUPPORTED[name]
  throw new UsageError(
    instead === undefined
      ? `${where} is unknown: use one of ${TYPES.map((known) => `v3${known}`).join(', ')}`
      : `${where} is not supported: ${instead}`,
  )
}

function inferAuthType(settings: Settings): AuthType {
  const has = (...names: Parameters<Settings['has']>[0][]): boolean => names.some((name) => settings.has(name))
  if (has('application_credential_id', 'application_credential_secret', 'application_credential_name'))
    return 'applicationcredential'
  if (has('identity_provider')) {
    if (has('access_token')) return 'oidcaccesstoken'
    if (has('username', 'password')) return 'oidcpassword'
    return has('device_authorization_endpoint') || !has('client_secret') ? 'oidcdeviceauthz' : 'oidcclientcredentials'
  }
  if (has('token')) return 'token'
  if (has('passcode')) return has('password') ? 'multifactor' : 'totp'
  return 'password'
}
