import { createReadStream } from 'node:fs'
import { access, mkdir, mkdtemp, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { CommandError, EXIT, usageError } from './command-error.ts'
import { toLines } from './to-lines.ts'

/** Files, as commands use them. All errors are `CommandError`s that name the file. */
export interface Files {
  /** The bytes of a file, or of standard input for `-`; one byte more than `limit` where there are more. */
  read(path: string, limit: number): Promise<Uint8Array>
  /** The lines of a file, or of standard input for `-` as they come. */
  lines(path: string): AsyncIterable<string>
  exists(path: string): Promise<boolean>
  makeDirectory(path: string): Promise<void>
  /** Replaces a file in one step: a reader sees the old content or all of the new. */
  write(path: string, text: string, options?: { readonly secret?: boolean }): Promise<void>
  /** Writes a secret of mode 0600 beside the file, which keeps its content until `commit`. */
  draftSecret(path: string, text: string): Promise<Draft>
  /** Calls `use` with a file of mode 0600 that holds the text, and removes the file afterwards. */
  withSecretFile(text: string, use: (path: string) => Promise<void>): Promise<void>
}

/** The next content of a file. */
export interface Draft {
  /** Replaces the file in one step. */
  commit(): Promise<void>
  /** Removes the draft; the file stays as it was. */
  discard(): Promise<void>
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
    async *lines(path) {
      if (path !== '-' && (await naming(path, 'read', () => stat(path))).isDirectory())
        throw usageError(`${path} is a directory`, 'name a file in it')
      yield* toLines(path === '-' ? stdin : createReadStream(path))
    },
    exists: isThere,
    async makeDirectory(path) {
      await naming(path, 'make', () => makeWithParents(path))
    },
    async write(path, text, { secret = false } = {}) {
      await naming(path, 'write', async () => {
        // A link stays one; a secret takes the place of one, because the link can be somebody else's.
        const target = secret ? path : await realpath(path).catch(() => path)
        // A secret gets the mode 0600; any other file keeps the mode that it has.
        const draft = await writeDraft(target, text, secret ? 0o600 : await modeOf(target))
        await draft.commit()
      })
    },
    async draftSecret(path, text) {
      const draft = await naming(path, 'write', () => writeDraft(path, text, 0o600))
      return { discard: draft.discard, commit: () => naming(path, 'write', draft.commit) }
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

/** Writes beside the file; `commit` renames. What fails leaves no draft behind. */
async function writeDraft(path: string, text: string, mode: number): Promise<Draft> {
  const draft = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`)
  const discard = (): Promise<void> => rm(draft, { force: true })
  const orDiscard = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      await discard()
      throw error
    }
  }
  await orDiscard(async () => {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  })
  return { discard, commit: () => orDiscard(() => rename(draft, path)) }
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
