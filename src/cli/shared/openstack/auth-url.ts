import { UsageError } from '../usage-error.ts'
import { describeOrigin, type Settings } from './settings.ts'

/**
 * The Identity API v3 root that the settings name, without a slash at its end. `/v3` is added where it is not there.
 * @throws UsageError when it is missing, is no http(s) URL or holds a user and password
 */
export function toAuthUrl(settings: Settings): string {
  const setting = settings.get('auth_url')
  if (setting === undefined)
    throw new UsageError('the URL of Keystone is missing: set auth_url in clouds.yaml, OS_AUTH_URL or --keystone-url')
  const from = describeOrigin(setting.origin)
  const region = settings.get('region_name')?.value ?? ''
  if (region === '' && setting.value.includes('{region_name}'))
    throw new UsageError(
      `the URL of Keystone (${describeOrigin(setting.origin)}) needs a region: set region_name (OS_REGION_NAME)`,
    )
  const text = setting.value.replaceAll('{region_name}', () => region)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`the URL of Keystone (${from}) is no http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`the URL of Keystone (${from}) holds a user or password: take them out`)
  const path = url.pathname.replace(/\/+$/, '')
  if (/\/v2(?:\.\d)?$/.test(path))
    throw new UsageError(`the URL of Keystone (${from}) ends in ${path.slice(path.lastIndexOf('/'))}: name v3, or none`)
  return url.origin + (path.endsWith('/v3') ? path : `${path}/v3`)
}
