import { isMap, isNode, LineCounter, parseDocument } from 'yaml'
import { UsageError } from '../usage-error.ts'
import { type CloudsFiles, mayDirect, type RawFile } from './clouds-files.ts'
import { OPTIONS, type OptionName } from './options.ts'
import type { Origin, Setting, Settings } from './settings.ts'

/** One cloud of a clouds file, with what completes it. */
export interface Cloud {
  readonly name: string
  readonly file: RawFile
  readonly settings: Settings
}

export interface CloudChoice {
  /** By flag or variable; without it the only cloud of the file is taken. */
  readonly name: string | undefined
  /** Lets a file of another directory say where secrets go. */
  readonly allowsForeignSecrets: boolean
}

/**
 * Reads the cloud that is asked for: its entry in clouds.yaml over its profile in clouds-public.yaml, and secure.yaml
 * merged over both. `undefined`: none is asked for, and the file does not hold exactly one.
 * @throws UsageError for a file that is no YAML, a cloud that is not there, a profile that is not there
 */
export function readCloud(files: CloudsFiles, choice: CloudChoice): Cloud | undefined {
  if (files.clouds === undefined) {
    if (choice.name === undefined) return undefined
    throw new UsageError(
      `cloud ${choice.name}: there is no clouds.yaml that can be read in ${files.searched.join(', ')}`,
    )
  }
  const clouds = new CloudsDocument(files.clouds)
  const names = clouds.names('clouds')
  const name = choice.name ?? (names.length === 1 ? names[0] : undefined)
  const listed = names.length > 20 ? [...names.slice(0, 20), '…'].join(', ') : names.join(', ')
  if (name === undefined && names.length > 1)
    throw new UsageError(`${files.clouds.path} has several clouds: choose one with --cloud or OS_CLOUD: ${listed}`)
  if (name === undefined) return undefined
  if (!names.includes(name)) {
    const known = names.length === 0 ? 'holds no clouds' : `has ${listed}`
    throw new UsageError(`there is no cloud ${name}: ${files.clouds.path} ${known}`)
  }
  const settings = new Map([...readProfile(clouds, name, files, choice), ...clouds.settings(['clouds', name])])
  if (files.secure !== undefined) mergeSecure(settings, name, files.clouds, files.secure, choice)
  return { name, file: files.clouds, settings }
}

function readProfile(clouds: CloudsDocument, cloud: string, files: CloudsFiles, choice: CloudChoice): Settings {
  const profile = clouds.text(['clouds', cloud, 'profile']) ?? clouds.text(['clouds', cloud, 'cloud'])
  if (profile === undefined) return new Map()
  if (files.public !== undefined) {
    const vendors = new CloudsDocument(files.public)
    if (vendors.names('public-clouds').includes(profile)) {
      if (files.clouds !== undefined) requireDirection(files.public, files.clouds, cloud, choice)
      return vendors.settings(['public-clouds', profile])
    }
  }
  if (clouds.settings(['clouds', cloud]).has('auth_url')) return new Map()
  throw new UsageError(
    `cloud ${cloud} of ${clouds.path} takes its settings from profile ${profile}, which no clouds-public.yaml holds: write its auth_url into the cloud`,
  )
}

function mergeSecure(
  settings: Map<OptionName, Setting>,
  cloud: string,
  clouds: RawFile,
  secure: RawFile,
  choice: CloudChoice,
): void {
  const secrets = new CloudsDocument(secure).settings(['clouds', cloud])
  if (secrets.size === 0) return
  requireDirection(clouds, secure, cloud, choice)
  for (const [name, setting] of secrets) settings.set(name, setting)
}

function requireDirection(destination: RawFile, secrets: RawFile, cloud: string, choice: CloudChoice): void {
  if (mayDirect(destination, secrets) || choice.allowsForeignSecrets) return
  throw new UsageError(
    `${secrets.path} has settings for cloud ${cloud}, and ${destination.path} says where they go: both have to lie in one directory, or give --allow-auth-url-override`,
  )
}

/** A clouds file, parsed. Every scalar stays a string: as YAML 1.2 an all-digit project id would become a float. */
class CloudsDocument {
  readonly path: string
  readonly #document: ReturnType<typeof parseDocument>
  readonly #lines = new LineCounter()

  constructor({ path, bytes }: RawFile) {
    this.path = path
    this.#document = parseDocument(bytes.toString('utf8').replace(/^\uFEFF/, ''), {
      schema: 'failsafe',
      merge: true,
      lineCounter: this.#lines,
      prettyErrors: false,
    })
    const [error] = this.#document.errors
    if (error !== undefined) {
      const { line, col } = this.#lines.linePos(error.pos[0])
      // The message of the parser can repeat a part of the file.
      throw new UsageError(`${path} line ${line}, column ${col}: is not YAML (${error.code})`)
    }
  }

  names(section: string): readonly string[] {
    return Object.keys(this.#object([section]))
  }

  text(path: readonly string[]): string | undefined {
    const value = this.#object(path.slice(0, -1))[path.at(-1) ?? '']
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  /** What an entry sets, below `auth` or beside it. */
  settings(path: readonly string[]): Settings {
    const settings = new Map<OptionName, Setting>()
    for (const { name } of OPTIONS)
      for (const place of placesOf(name).flatMap((key) => [
        [...path, key],
        [...path, 'auth', key],
      ])) {
        const value = this.#scalar(place)
        if (value === undefined || settings.has(name)) continue
        settings.set(name, { value, origin: this.#origin(place) })
      }
    return settings
  }

  #scalar(path: readonly string[]): string | undefined {
    const value = this.#object(path.slice(0, -1))[path.at(-1) ?? '']
    if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? value.join(',') : undefined
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  #object(path: readonly string[]): Readonly<Record<string, unknown>> {
    let value = this.#values()
    for (const key of path) value = toObject(value)[key]
    return toObject(value)
  }

  #plain: unknown
  #values(): unknown {
    try {
      this.#plain ??= this.#document.toJS({ maxAliasCount: 100 })
    } catch {
      throw new UsageError(`${this.path}: has an alias without its anchor, or too many aliases`)
    }
    return this.#plain
  }

  #origin(path: readonly string[]): Origin {
    const { contents } = this.#document
    const node = isMap(contents) ? contents.getIn(path, true) : undefined
    const offset = isNode(node) ? node.range?.[0] : undefined
    return { kind: 'file', file: this.path, line: offset === undefined ? undefined : this.#lines.linePos(offset).line }
  }
}

/** The keys that a setting has in a clouds file; `tenant` is what a project was called. */
function placesOf(name: OptionName): string[] {
  if (name === 'project_name') return ['project_name', 'tenant_name', 'project']
  return name === 'project_id' ? ['project_id', 'tenant_id'] : [name]
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.assign(Object.create(null), value)
    : {}
}
