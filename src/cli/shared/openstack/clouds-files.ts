import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../usage-error.ts'

/** The system, as far as the search for clouds files depends on it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly cwd: string
}

/** One file as it was read. Parsing comes later, and only where no cached token is served. */
export interface RawFile {
  readonly path: string
  readonly bytes: Buffer
  /** `system`: below /etc or /Library. Where the user's directories are, and what is named, variables decide. */
  readonly place: 'named' | 'working-directory' | 'user' | 'system'
}

export interface CloudsFiles {
  readonly clouds: RawFile | undefined
  readonly secure: RawFile | undefined
  readonly public: RawFile | undefined
  /** Where they were looked for. */
  readonly searched: readonly string[]
}

const SUFFIXES = ['.yaml', '.yml', '.json']
/** A clouds file of a large organisation has some hundred kB. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Finds clouds.yaml, secure.yaml and clouds-public.yaml where openstacksdk looks for them: the first that exists counts
 * whole. A file that may not be read is passed over.
 * @throws UsageError when a file that a variable names is not there
 */
export function findCloudsFiles(surroundings: Surroundings): CloudsFiles {
  return {
    clouds: findFile('clouds', 'OS_CLIENT_CONFIG_FILE', surroundings),
    secure: findFile('secure', 'OS_CLIENT_SECURE_FILE', surroundings),
    public: findFile('clouds-public', 'OS_CLIENT_VENDOR_FILE', surroundings),
    searched: directories(surroundings),
  }
}

function findFile(base: string, variable: string, surroundings: Surroundings): RawFile | undefined {
  const named = surroundings.env[variable]
  if (named !== undefined && named !== '') {
    const path = resolve(surroundings.cwd, expandHome(named, surroundings.home))
    const bytes = readIfThere(path)
    if (bytes === undefined) throw new UsageError(`variable ${variable} names ${path}, which cannot be read`)
    return { path, bytes, place: 'named' }
  }
  for (const [index, directory] of directories(surroundings).entries())
    for (const suffix of SUFFIXES) {
      const path = join(directory, base + suffix)
      const bytes = readIfThere(path)
      if (bytes !== undefined) return { path, bytes, place: index === 0 ? 'working-directory' : placeOf(path) }
    }
  return undefined
}

/** The search path of openstacksdk (openstack/config/loader.py), the working directory first. */
function directories({ env, platform, home, cwd }: Surroundings): string[] {
  const realHome = env.SNAP_REAL_HOME ?? home
  const dotConfig = join(realHome, '.config', 'openstack')
  if (platform === 'win32') {
    const local = env.LOCALAPPDATA ?? join(home, 'AppData', 'Local')
    const site = env.ProgramData ?? 'C:\\ProgramData'
    return [cwd, join(local, 'OpenStack', 'openstack'), dotConfig, join(site, 'OpenStack', 'openstack')]
  }
  const user =
    platform === 'darwin'
      ? join(realHome, 'Library', 'Application Support', 'openstack')
      : join(env.XDG_CONFIG_HOME || join(realHome, '.config'), 'openstack')
  const site = platform === 'darwin' ? '/Library/Application Support/openstack' : '/etc/xdg/openstack'
  return [cwd, user, dotConfig, site, '/etc/openstack']
}

function readIfThere(path: string): Buffer | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  // A named pipe or a device might never end.
  if (stat === undefined || !stat.isFile()) return undefined
  if (stat.size > MAX_BYTES) throw new UsageError(`${path} is larger than 4 MiB`)
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** `~` and `~/…` name the home directory. */
export function expandHome(path: string, home: string): string {
  return path === '~' || /^~[/\\]/.test(path) ? home + path.slice(1) : path
}

function placeOf(path: string): RawFile['place'] {
  return /^\/(?:etc|Library)\//.test(path) ? 'system' : 'user'
}

/**
 * Whether a file may say where the secrets of another one go: both lie in one directory, or the first one is the
 * system's. Variables, which a kubeconfig can set, move every other place, and the working directory is anybody's.
 */
export function mayDirect(destination: RawFile, secrets: RawFile): boolean {
  return dirname(destination.path) === dirname(secrets.path) || destination.place === 'system'
}
