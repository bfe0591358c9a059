import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** Where the platform keeps caches (XDG Base Directory Specification; macOS and Windows their own). */
export function cacheDirectoryOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): string {
  const name = 'client-keystone-auth'
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), name, 'Cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', name)
  const xdg = env.XDG_CACHE_HOME
  // A relative path is invalid there and has to be ignored.
  return join(xdg?.startsWith('/') ? xdg : join(home, '.cache'), name)
}

const KEY_FILE = 'key'
const KEY_BYTES = 32
/** A token is at most 16 KiB. */
const MAX_FILE_BYTES = 64 * 1024

/**
 * A directory for files that only its owner may read: 0700, files 0600. Files of another owner, files that others can
 * read, links and what is too large are treated as absent. Every method throws the system's error where the file system
 * refuses, and only then.
 */
export class CacheDirectory {
  readonly path: string
  readonly #key: Buffer

  /** @throws the system's error, or `EOWNER` where the directory belongs to somebody else */
  constructor(path: string) {
    this.path = path
    if (!existsSync(path)) makeDirectory(path)
    const stat = lstatSync(path)
    if (!stat.isDirectory() || !isOwn(stat.uid))
      throw Object.assign(new Error('not a directory of this user'), { code: 'EOWNER' })
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) chmodSync(path, 0o700)
    this.#key = this.#readKey() ?? this.#createKey()
  }

  /** A name that tells nothing of its inputs to who cannot read the directory's key. */
  nameOf(inputs: string): string {
    return bytesToHex(hmac(sha256, this.#key, utf8ToBytes(inputs)))
  }

  read(file: string): string | undefined {
    return this.#readBytes(file)?.toString('utf8')
  }

  /** Writes a whole file: a reader sees the old content or the new one, also after a crash in the middle. */
  write(file: string, content: string | Buffer): void {
    const temporary = `${file}.${process.pid}.${bytesToHex(randomBytes(6))}.tmp`
    const path = join(this.path, temporary)
    try {
      const descriptor = openSync(path, 'wx', 0o600)
      try {
        writeAll(descriptor, Buffer.from(content))
      } finally {
        closeSync(descriptor)
      }
      renameSync(path, join(this.path, file))
    } catch (error) {
      this.remove(temporary)
      throw error
    }
  }

  append(file: string, line: string): void {
    const descriptor = openSync(join(this.path, file), 'a', 0o600)
    try {
      writeAll(descriptor, Buffer.from(line))
    } finally {
      closeSync(descriptor)
    }
  }

  /** Creates a file that nobody else has created. `false`: it is there. */
  createExclusive(file: string, content: string): boolean {
    let descriptor: number
    try {
      descriptor = openSync(join(this.path, file), 'wx', 0o600)
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false
      throw error
    }
    try {
      writeAll(descriptor, Buffer.from(content))
    } catch (error) {
      this.remove(file)
      throw error
    } finally {
      closeSync(descriptor)
    }
    return true
  }

  list(): readonly string[] {
    return readdirSync(this.path)
  }

  remove(file: string): void {
    try {
      unlinkSync(join(this.path, file))
    } catch {
      // It is gone, or was never written.
    }
  }

  /** Milliseconds since the epoch; `undefined` where the file is gone. */
  changedAtMs(file: string): number | undefined {
    try {
      return lstatSync(join(this.path, file)).mtimeMs
    } catch {
      return undefined
    }
  }

  #readKey(): Buffer | undefined {
    const key = this.#readBytes(KEY_FILE)
    return key?.length === KEY_BYTES ? key : undefined
  }

  #createKey(): Buffer {
    // A key is complete as soon as it is there: one that cannot be read now is damaged, or somebody else's.
    if (existsSync(join(this.path, KEY_FILE))) {
      const made = this.#readKey()
      if (made !== undefined) return made
      this.remove(KEY_FILE)
    }
    const key = Buffer.from(randomBytes(KEY_BYTES))
    const temporary = `${KEY_FILE}.${process.pid}.tmp`
    this.write(temporary, key)
    try {
      // Unlike a rename, a link never replaces the key of a process that started at the same time.
      linkSync(join(this.path, temporary), join(this.path, KEY_FILE))
    } catch (error) {
      if (!isCode(error, 'EEXIST')) this.write(KEY_FILE, key)
    }
    this.remove(temporary)
    return this.#readKey() ?? key
  }

  #readBytes(file: string): Buffer | undefined {
    let descriptor: number
    try {
      descriptor = openSync(join(this.path, file), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    } catch {
      return undefined
    }
    try {
      const stat = fstatSync(descriptor)
      const isPrivate = process.platform === 'win32' || (stat.mode & 0o077) === 0
      if (!stat.isFile() || !isOwn(stat.uid) || !isPrivate || stat.size > MAX_FILE_BYTES) return undefined
      return readFileSync(descriptor)
    } catch {
      return undefined
    } finally {
      closeSync(descriptor)
    }
  }
}

/** With its parents. Node's own way of doing so never ends where the parent exists and takes no directory, as in /proc. */
function makeDirectory(path: string): void {
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else made it meanwhile.
    if (!isCode(error, 'EEXIST')) throw error
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
}

function isOwn(uid: number): boolean {
  return process.getuid === undefined || uid === process.getuid()
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
