/** One setting of an OpenStack log-in: its name in clouds.yaml, and the flags and variables that set it too. */
export interface Option {
  /** As in clouds.yaml, with underscores. */
  readonly name: OptionName
  /** Without dashes; `os-<name>` is always one more. */
  readonly flags: readonly string[]
  readonly variables: readonly string[]
  readonly help: string
  /** A value that may appear nowhere but in a request to Keystone. */
  readonly secret?: true
}

const DEFINITIONS = {
  auth_url: { flags: ['keystone-url'], help: 'URL of Keystone, with or without /v3' },
  auth_type: { help: 'how to log in, for example v3password; found out where absent' },
  auth_methods: { help: 'the methods of v3multifactor, separated by commas' },
  username: { flags: ['user-name'], help: 'name of the user' },
  user_id: { help: 'id of the user, instead of name and domain' },
  password: { secret: true, help: 'password of the user' },
  user_domain_name: { help: 'name of the domain of the user' },
  user_domain_id: { help: 'id of the domain of the user' },
  project_name: { variables: ['OS_TENANT_NAME'], help: 'name of the project that the token is for' },
  project_id: { variables: ['OS_TENANT_ID'], help: 'id of the project that the token is for' },
  project_domain_name: { help: 'name of the domain of the project' },
  project_domain_id: { help: 'id of the domain of the project' },
  domain_name: { help: 'name of the domain of user and project, where they name none' },
  domain_id: { help: 'id of the domain of user and project, where they name none' },
  default_domain: { help: 'id of the domain of user and project, where nothing else names one' },
  system_scope: { help: '"all" for a token of the system' },
  trust_id: { help: 'id of the trust that the token is for' },
  token: { secret: true, help: 'a token to get another one with' },
  passcode: { secret: true, help: 'one-time passcode (totp)' },
  application_credential_id: { help: 'id of the application credential' },
  application_credential_name: { help: 'name of the application credential; needs the user as well' },
  application_credential_secret: { secret: true, help: 'secret of the application credential' },
  identity_provider: { help: 'id of the identity provider in Keystone (OpenID Connect)' },
  protocol: { help: 'id of the federation protocol in Keystone (OpenID Connect)' },
  discovery_endpoint: { help: 'URL of the OpenID provider, .well-known/openid-configuration' },
  access_token_endpoint: { help: 'URL of the OpenID provider where access tokens are issued' },
  device_authorization_endpoint: { help: 'URL of the OpenID provider where a device is authorized' },
  client_id: { help: 'client of the OpenID provider' },
  client_secret: { secret: true, help: 'secret of that client' },
  openid_scope: { help: 'scope asked of the OpenID provider; "openid profile" where absent' },
  access_token: { secret: true, help: 'access token of the OpenID provider' },
  cacert: { help: 'file with the certificates of the authorities that Keystone is trusted by' },
  cert: { help: 'file with a client certificate' },
  key: { help: 'file with the key of the client certificate' },
  insecure: { help: 'do not verify the certificate of Keystone' },
  verify: { variables: [], help: 'in clouds.yaml: false does what insecure does' },
  region_name: { help: 'put in place of {region_name} in the URL of Keystone' },
} as const satisfies Record<string, Partial<Omit<Option, 'name'>>>

export type OptionName = keyof typeof DEFINITIONS

/** Every setting. A variable `OS_<NAME>` comes first, `OS_TENANT_*` after it. */
export const OPTIONS: readonly Option[] = Object.entries(DEFINITIONS).map(([name, definition]) => {
  const { flags = [], variables, secret, help }: Partial<Option> & { help: string } = definition
  const own = name.replaceAll('_', '-')
  return {
    name: name as OptionName,
    flags: [...flags, own, `os-${own}`],
    variables: name === 'verify' ? [] : [`OS_${name.toUpperCase()}`, ...(variables ?? [])],
    help,
    ...(secret && { secret }),
  }
})

/** Settings whose value is a secret. */
export const SECRETS: ReadonlySet<OptionName> = new Set(OPTIONS.filter(({ secret }) => secret).map(({ name }) => name))

/** Whether a text means true, as YAML 1.1 and the `openstack` command read it; `undefined` when it is neither. */
export function toBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  if (['true', 'yes', 'on', 'y', '1'].includes(lower)) return true
  return ['false', 'no', 'off', 'n', '0'].includes(lower) ? false : undefined
}
