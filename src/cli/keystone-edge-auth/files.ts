import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, mkdtemp, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { CommandError, EXIT, usageError } from './command-error.ts'

/** Files, as commands use them. All errors are `CommandError`s that name the file. */
export interface Files {
  /** The bytes of a file, or of standard input for `-`; one byte more than `limit` where there are more. */
  read(path: string, limit: number): Promise<Uint8Array>
  exists(path: string): Promise<boolean>
  makeDirectory(path: string): Promise<void>
  /** Replaces a file in one step: a reader sees the old content or all of the new. */
  write(path: string, text: string, options?: { readonly secret?: boolean }): Promise<void>
  /** Calls `use` with a file of mode 0600 that holds the text, and removes the file afterwards. */
  withSecretFile(text: string, use: (path: string) => Promise<void>): Promise<void>
}

/** The file system, with `stdin` for `-`. */
export function createFiles(stdin: Readable): Files {
  let isStdinRead = false
  return {
    async read(path, limit) {
      if (path === '-') {
        if (isStdinRead) throw usageError('standard input (-) is named twice', 'it can be read once only')
        isStdinRead = true
        return readAll(stdin, limit)
      }
      const found = await naming(path, 'read', () => stat(path))
      if (found.isDirectory()) throw usageError(`${path} is a directory`, 'name the files in it')
      return naming(path, 'read', () => readAll(createReadStream(path), limit))
    },
    exists: isThere,
    async makeDirectory(path) {
      await naming(path, 'make', () => makeWithParents(path))
    },
    async write(path, text, { secret = false } = {}) {
      // A link stays one; a secret takes the place of one, because the link can be somebody else's.
      const target = secret ? path : await realpath(path).catch(() => path)
      await naming(path, 'write', () => replaceFile(target, text, secret))
    },
    async withSecretFile(text, use) {
      const directory = await mkdtemp(join(tmpdir(), 'keystone-edge-auth-'))
      try {
        const path = join(directory, 'values.json')
        await naming(path, 'write', () => writeFile(path, text, { mode: 0o600 }))
        await use(path)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
  }
}

/** Node's own `recursive` never ends where a parent is there and takes no directories, as /proc. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path || (await isThere(dirname(path)))) throw error
    await makeWithParents(dirname(path))
    await mkdir(path)
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

async function readAll(stream: Readable, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    chunks.push(bytes)
    size += bytes.length
    if (size > limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit + 1)
}

/** Writes beside the file and renames. A secret gets the mode 0600; any other file keeps the mode that it has. */
async function replaceFile(path: string, text: string, secret: boolean): Promise<void> {
  const mode = secret ? 0o600 : await modeOf(path)
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777
  } catch {
    return 0o666
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be accessed',
  EPERM: 'may not be accessed',
  EISDIR: 'is a directory',
  ENOTDIR: 'has a parent that is no directory',
  EEXIST: 'is there and is no directory',
  ELOOP: 'is a link that leads to itself',
  EROFS: 'is on a read-only file system',
}

const NO_ROOM: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'it is larger than this process may write (ulimit -f)',
  EIO: 'the disk fails',
}

/** Turns an error of the file system into one that names the file and the reason. */
async function naming<T>(path: string, act: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    const noRoom = NO_ROOM[code]
    if (noRoom !== undefined) throw new CommandError(EXIT.unreachable, `cannot ${act} ${path}: ${noRoom}`)
    throw usageError(`cannot ${act} ${path}: it ${REASONS[code] ?? `fails with ${code || 'an unknown error'}`}`)
  }
}
