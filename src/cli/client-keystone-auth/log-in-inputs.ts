import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type CloudsFiles, findCloudsFiles, type Surroundings } from '../shared/openstack/clouds-files.ts'
import type { ParsedFlags } from '../shared/openstack/flags.ts'
import { readVariables, type Settings } from '../shared/openstack/settings.ts'

/** Everything that decides which token is asked for, unparsed where parsing costs time. */
export interface LogInInputs {
  readonly flags: Settings
  readonly variables: Settings
  /** The cloud that a flag or OS_CLOUD names. */
  readonly cloud: string | undefined
  readonly files: CloudsFiles
  readonly allowsOverride: boolean
}

const NO_FILES: CloudsFiles = { clouds: undefined, secure: undefined, public: undefined, searched: [] }

/**
 * Gathers flags, variables and the bytes of the clouds files. Without a named cloud the files count only where neither
 * flag nor variable names a Keystone.
 */
export function gatherInputs(parsed: ParsedFlags, surroundings: Surroundings): LogInInputs {
  const variables = readVariables(surroundings.env)
  const named = chosenCloud(parsed, surroundings.env)
  // openstacksdk's name for what the variables say.
  const cloud = named === 'envvars' ? undefined : named
  const hasUrl = parsed.settings.has('auth_url') || variables.has('auth_url')
  const usesFiles = cloud !== undefined || (!hasUrl && named !== 'envvars')
  return {
    flags: parsed.settings,
    variables,
    cloud,
    files: usesFiles ? findCloudsFiles(surroundings) : NO_FILES,
    allowsOverride: parsed.booleans.has('allow-auth-url-override'),
  }
}

/** The cloud that a flag or OS_CLOUD names. */
export function chosenCloud(
  { values }: ParsedFlags,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return (values.get('cloud') ?? values.get('os-cloud') ?? env.OS_CLOUD) || undefined
}

/** One text for equal inputs. A passcode is good for one time, so it is left out. */
export function toCacheKey({ flags, variables, cloud, files, allowsOverride }: LogInInputs): string {
  const values = (settings: Settings) =>
    [...settings]
      .filter(([name]) => name !== 'passcode')
      .map(([name, { value }]) => [name, value] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1))
  const contents = [files.clouds, files.secure, files.public].map(
    (file) => file && [file.path, bytesToHex(sha256(file.bytes))],
  )
  return JSON.stringify([values(flags), values(variables), cloud, contents, allowsOverride])
}
