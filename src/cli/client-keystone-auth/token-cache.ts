import type { CacheDirectory } from './cache-directory.ts'
import type { TlsFiles } from './tls-files.ts'

/** A token as it is kept on disk, with what `status` shows and what a request to Keystone needs without the clouds file. */
export interface CachedToken {
  readonly token: string
  /** By this machine's clock, the margin taken off. */
  readonly expiresAtMs: number
  readonly authUrl: string
  readonly cloud: string | undefined
  /** The clouds file, `variables` or `flags`. */
  readonly source: string
  /** For people: `alice (Default)` and `project demo (Default)`. */
  readonly user: string
  readonly scope: string
  readonly tls: TlsFiles
}

const FORMAT = 1
const DAY_MS = 86_400_000

/** The tokens of one user of the machine, by the inputs that they were asked for with. */
export class TokenCache {
  readonly #directory: CacheDirectory

  constructor(directory: CacheDirectory) {
    this.#directory = directory
  }

  nameOf(inputs: string): string {
    return this.#directory.nameOf(inputs)
  }

  /** A token that is still valid. What cannot be read, or is of another format, is no token. */
  read(name: string, nowMs: number): CachedToken | undefined {
    const cached = decode(this.#directory.read(`${name}.json`))
    return cached !== undefined && cached.expiresAtMs > nowMs ? cached : undefined
  }

  /** Keeps a token, and drops those that have expired. */
  write(name: string, cached: CachedToken, nowMs: number): void {
    this.#directory.write(`${name}.json`, JSON.stringify({ format: FORMAT, ...cached }))
    this.#directory.remove(`${name}.served`)
    for (const other of this.names()) if (this.read(other, nowMs) === undefined) this.remove(other)
    // What a crash or a failed log-in left behind.
    for (const file of this.#directory.list())
      if (/\.(?:tmp|failure|lock|served)$/.test(file) && nowMs - (this.#directory.changedAtMs(file) ?? nowMs) > DAY_MS)
        this.#directory.remove(file)
  }

  /** Whether a process was given this token before: it asks again because the token was refused. */
  wasServed(name: string, parent: string): boolean {
    return this.#directory.read(`${name}.served`)?.split('\n').includes(parent) ?? false
  }

  markServed(name: string, parent: string): void {
    this.#directory.append(`${name}.served`, `${parent}\n`)
  }

  names(): readonly string[] {
    return this.#directory.list().flatMap((file) => /^([0-9a-f]{64})\.json$/.exec(file)?.[1] ?? [])
  }

  remove(name: string): void {
    for (const kind of ['json', 'served', 'failure']) this.#directory.remove(`${name}.${kind}`)
  }

  /** Removes everything but locks and the key. */
  clear(): void {
    for (const file of this.#directory.list())
      if (/^[0-9a-f]{64}\.(?:json|served|failure)$/.test(file)) this.#directory.remove(file)
  }
}

function decode(text: string | undefined): CachedToken | undefined {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) return undefined
  const cached = value as unknown as CachedToken
  const texts = [cached.token, cached.authUrl, cached.user, cached.scope, cached.source]
  const isWhole =
    texts.every((text) => typeof text === 'string') && typeof cached.tls === 'object' && cached.tls !== null
  return isWhole && Number.isFinite(cached.expiresAtMs) ? cached : undefined
}
