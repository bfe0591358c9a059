import { revoke } from '../../keystone/log-in.ts'
import type { Clock } from '../../lib/clock.ts'
import { concealToken } from '../../lib/secret.ts'
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
export function printStatus(cachePath: string, { clock, print }: Output): void {
  const entries = entriesOf(new TokenCache(new CacheDirectory(cachePath)), clock.now())
  if (entries.length === 0) print(`nobody is logged in: there is no cached token in ${cachePath}\n`)
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
  const cache = new TokenCache(new CacheDirectory(cachePath))
  let isComplete = true
  for (const [name, cached] of entriesOf(cache, clock.now())) {
    if (cloud !== undefined && cached.cloud !== cloud) continue
    cache.remove(name)
    const { api } = connectKeystone(cached.authUrl, readTls(cached.tls), clock)
    const revoked = await revoke(api, concealToken(cached.token), clock.now() + REVOKE_TIMEOUT_MS)
    const what = `the token of ${cached.user} for ${cached.scope} at ${cached.authUrl}`
    if (revoked.ok) print(`${what} is revoked\n`)
    else tell(`${what} is removed here, but Keystone could not be asked to revoke it: it is good until it expires`)
    isComplete &&= revoked.ok
  }
  return isComplete
}

function entriesOf(cache: TokenCache, nowMs: number): (readonly [string, CachedToken])[] {
  return cache.names().flatMap((name) => {
    const cached = cache.read(name, nowMs)
    return cached === undefined ? [] : [[name, cached] as const]
  })
}
