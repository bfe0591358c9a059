import { UsageError } from '../usage-error.ts'
import type { Cloud } from './cloud.ts'
import { type OptionName, SECRETS } from './options.ts'
import { describeOrigin, type Setting, type Settings } from './settings.ts'

/** Where secrets are sent, and by which TLS settings the receiver is known. */
const DESTINATIONS: readonly OptionName[] = [
  'auth_url',
  'region_name',
  'discovery_endpoint',
  'access_token_endpoint',
  'device_authorization_endpoint',
  'cacert',
  'cert',
  'key',
  'insecure',
  'verify',
]

/**
 * Refuses to send a secret where its owner did not put it. A kubeconfig sets flags and variables, and a repository can
 * hold a clouds.yaml, so:
 * a secret from a clouds file goes only where that file says, with the file's TLS settings; and a clouds.yaml in the
 * working directory gets only secrets that lie beside it.
 * @throws UsageError that names the secret's source and what differs
 */
export function guardSecrets(settings: Settings, cloud: Cloud | undefined): void {
  if (cloud === undefined) return
  const secrets = [...settings].filter(([name]) => SECRETS.has(name))
  if (secrets.some(([, { origin }]) => origin.kind === 'file')) {
    const foreign = DESTINATIONS.map((name) => [name, settings.get(name)] as const).find(
      ([name, setting]) =>
        setting !== undefined && differs(setting, cloud.settings.get(name)) && counts(name, settings),
    )
    if (foreign?.[1] !== undefined) throw new UsageError(sayForeign(foreign[0], foreign[1], cloud))
  }
  const own = secrets.find(([, { origin }]) => origin.kind !== 'file')
  if (own !== undefined && cloud.file.place === 'working-directory' && settings.get('auth_url')?.origin.kind === 'file')
    throw new UsageError(
      `${describeOrigin(own[1].origin)} is not sent to the Keystone of ${cloud.file.path}, a file that happens to lie in the working directory: name it by OS_CLIENT_CONFIG_FILE, or give --allow-auth-url-override`,
    )
}

/** A region counts only where the URL has a place for one. */
function counts(name: OptionName, settings: Settings): boolean {
  return name !== 'region_name' || (settings.get('auth_url')?.value.includes('{region_name}') ?? false)
}

function differs(setting: Setting, ofFile: Setting | undefined): boolean {
  if (setting.origin.kind === 'file') return false
  return ofFile === undefined || trim(setting.value) !== trim(ofFile.value)
}

function trim(value: string): string {
  return value.replace(/\/+$/, '').replace(/\/v3$/, '')
}

function sayForeign(name: OptionName, setting: Setting, cloud: Cloud): string {
  return `cloud ${cloud.name} of ${cloud.file.path} holds a secret, and ${describeOrigin(setting.origin)} changes ${name}, so the secret would go where the file does not say: take it away, or give --allow-auth-url-override`
}
