import { OPTIONS, type OptionName } from './options.ts'

/** Where a value came from, for error messages, and which source wins: the order of this union. */
export type Origin =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'variable'; readonly variable: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number | undefined }

export interface Setting {
  readonly value: string
  readonly origin: Origin
}

export type Settings = ReadonlyMap<OptionName, Setting>

const RANKS: readonly Origin['kind'][] = ['flag', 'variable', 'file']

/** `flag --project-name`, `variable OS_PROJECT_NAME`, `clouds.yaml line 7`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return `flag --${origin.flag}`
    case 'variable':
      return `variable ${origin.variable}`
    case 'file':
      return origin.line === undefined ? origin.file : `${origin.file} line ${origin.line}`
  }
}

/** The settings that variables hold. An empty variable counts as none. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Settings {
  const settings = new Map<OptionName, Setting>()
  for (const { name, variables } of OPTIONS) {
    const variable = variables.find((candidate) => (env[candidate] ?? '') !== '')
    const value = variable === undefined ? undefined : env[variable]
    if (variable !== undefined && value !== undefined)
      settings.set(name, { value, origin: { kind: 'variable', variable } })
  }
  return settings
}

/** Settings that say the same thing in two ways: the one from the stronger source counts, the id where both are equal. */
const ALTERNATIVES: readonly (readonly [OptionName, OptionName])[] = [
  ['user_id', 'username'],
  ['user_domain_id', 'user_domain_name'],
  ['project_id', 'project_name'],
  ['project_domain_id', 'project_domain_name'],
  ['domain_id', 'domain_name'],
  ['application_credential_id', 'application_credential_name'],
]

/**
 * One set of settings: flags before variables before the clouds file, as the `openstack` command has it. An empty flag
 * takes away what weaker sources say.
 */
export function mergeSettings(flags: Settings, variables: Settings, file: Settings): Settings {
  const merged = new Map([...file, ...variables, ...flags])
  for (const [id, name] of ALTERNATIVES) {
    const [ofId, ofName] = [merged.get(id), merged.get(name)]
    if (ofId === undefined || ofName === undefined) continue
    merged.delete(rankOf(ofName) < rankOf(ofId) ? id : name)
  }
  for (const [name, { value }] of merged) if (value === '') merged.delete(name)
  return merged
}

/** 0 is the strongest source. */
export function rankOf({ origin }: Setting): number {
  return RANKS.indexOf(origin.kind)
}
