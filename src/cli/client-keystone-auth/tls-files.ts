import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import type { TlsSettings } from '../shared/node-fetch.ts'
import { expandHome } from '../shared/openstack/clouds-files.ts'
import { type OptionName, toBoolean } from '../shared/openstack/options.ts'
import { describeOrigin, type Setting, type Settings } from '../shared/openstack/settings.ts'
import { UsageError } from '../shared/usage-error.ts'

/** The files of the TLS settings, by path: what the cache keeps of them. */
export interface TlsFiles {
  readonly cacert?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure: boolean
}

export function tlsFilesOf(settings: Settings): TlsFiles {
  const path = (name: OptionName): string | undefined => {
    const value = settings.get(name)?.value
    return value === undefined ? undefined : expandHome(value, homedir())
  }
  const [cacert, cert, key] = [path('cacert'), path('cert'), path('key')]
  if (key !== undefined && cert === undefined)
    throw new UsageError('there is a key and no client certificate: set cert (OS_CERT)')
  return {
    ...(cacert !== undefined && { cacert }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    insecure: isInsecure(settings),
  }
}

/** `insecure` beats `verify` (openstacksdk). */
function isInsecure(settings: Settings): boolean {
  const [insecure, verify] = [settings.get('insecure'), settings.get('verify')]
  if (insecure !== undefined) return toFlag(insecure, 'insecure')
  return verify !== undefined && !toFlag(verify, 'verify')
}

function toFlag(setting: Setting, name: string): boolean {
  const value = toBoolean(setting.value)
  if (value === undefined) throw new UsageError(`${name} (${describeOrigin(setting.origin)}) is neither true nor false`)
  return value
}

/** @throws UsageError for a file that cannot be read */
export function readTls({ cacert, cert, key, insecure }: TlsFiles): TlsSettings {
  const read = (path: string | undefined, what: string): string | undefined => {
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : 'unknown error'
      throw new UsageError(`${what} names ${path}, which cannot be read (${code})`)
    }
  }
  return { ca: read(cacert, 'cacert'), cert: read(cert, 'cert'), key: read(key ?? cert, 'key'), insecure }
}
