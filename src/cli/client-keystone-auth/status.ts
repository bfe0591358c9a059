import { revoke } from '../../keystone/log-in.ts'
import type { Clock } from '../../lib/clock.ts'
import { concealToken } from '../../lib/secret.ts'
import { UsageError } from '../shared/usage-error.ts'
import { CacheDirectory } from './cache-directory.ts'
import { connectKeystone } from './obtain-token.ts'
import { readTls } from './tls-files.ts'
import { type CachedToken, TokenCache } from './token-cache.ts'

interface Output {
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly tell: (message: string) => void
}

/** Prints each cached token that is still valid: who, for what, until when, where the log-in came from. */
export function printStatus(cachePath: string, wanted: string | undefined, { clock, print }: Output): void {
  const entries = entriesOf(openCache(cachePath), wanted, clock.now())
  if (entries.length === 0) print(sayNobody(cachePath, wanted))
  for (const [, cached] of entries) {
    const minutes = Math.floor((cached.expiresAtMs - clock.now()) / 60_000)
    const cloud = cached.cloud === undefined ? '' : `cloud ${cached.cloud} of `
    print(`${cached.user}, ${cached.scope}
  Keystone  ${cached.authUrl}
  until     ${new Date(cached.expiresAtMs).toISOString()} (${minutes} minutes)
  from      ${cloud}${cached.source}
`)
  }
}

const REVOKE_TIMEOUT_MS = 30_000

/**
 * Revokes the cached tokens, of one cloud or all, and removes them from this machine even where Keystone cannot be asked.
 * Returns whether all were revoked.
 */
export async function logOut(cachePath: string, cloud: string | undefined, output: Output): Promise<boolean> {
  const { clock, print, tell } = output
  const cache = openCache(cachePath)
  let isComplete = true
  const entries = entriesOf(cache, cloud, clock.now())
  if (entries.length === 0) print(sayNobody(cachePath, cloud))
  for (const [name, cached] of entries) {
    cache.remove(name)
    const { api } = connectKeystone(cached.authUrl, readTls(cached.tls), clock)
    const revoked = await revoke(api, concealToken(cached.token), clock.now() + REVOKE_TIMEOUT_MS)
    const what = `the token of ${cached.user} for ${cached.scope} at ${cached.authUrl}`
    if (revoked.ok) print(`${what} is revoked\n`)
    else tell(`${what} is removed here, but Keystone could not be asked to revoke it: it is good until it expires`)
    isComplete &&= revoked.ok
  }
  if (cloud === undefined) cache.clear()
  return isComplete
}

function openCache(cachePath: string): TokenCache {
  try {
    return new TokenCache(new CacheDirectory(cachePath))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown error'
    throw new UsageError(`the cached tokens cannot be read: ${cachePath} cannot be used (${code})`)
  }
}

function sayNobody(cachePath: string, cloud: string | undefined): string {
  return `nobody is logged in${cloud === undefined ? '' : ` to cloud ${cloud}`}: there is no cached token in ${cachePath}\n`
}

function entriesOf(cache: TokenCache, cloud: string | undefined, nowMs: number): (readonly [string, CachedToken])[] {
  return cache.names().flatMap((name) => {
    const cached = cache.read(name, nowMs)
    return cached === undefined || (cloud !== undefined && cached.cloud !== cloud) ? [] : [[name, cached] as const]
  })
}
