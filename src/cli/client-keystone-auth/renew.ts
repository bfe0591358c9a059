import { isStillValid } from '../../keystone/log-in.ts'
import { concealToken } from '../../lib/secret.ts'
import { isUsageError, UsageError } from '../shared/usage-error.ts'
import type { CacheDirectory } from './cache-directory.ts'
import type { CredentialOptions } from './credential-options.ts'
import { logInAnew } from './log-in-anew.ts'
import type { LogInInputs } from './log-in-inputs.ts'
import { withLogInLock } from './log-in-lock.ts'
import { connectKeystone } from './obtain-token.ts'
import { readTls } from './tls-files.ts'
import type { CachedToken, TokenCache } from './token-cache.ts'

/** The place of a token in the cache, and the token there that its parent process was given before. */
interface Kept {
  readonly directory: CacheDirectory
  readonly cache: TokenCache
  readonly name: string
  readonly refused: CachedToken | undefined
}

/** Short: without an answer the cached token is good enough. */
const CHECK_TIMEOUT_MS = 5_000

/**
 * A token that Keystone issued or confirmed just now. Of several processes that need the same one, one asks; those that
 * waited take its token, or its refusal: ten calls with a wrong password are one failed log-in.
 * @throws UsageError that says why there is none
 */
export async function renew(
  inputs: LogInInputs,
  options: CredentialOptions,
  kept: Kept | undefined,
): Promise<CachedToken> {
  const { clock, forceRefresh } = options
  if (kept === undefined) return logInAnew(inputs, options, { count: 0, secrets: [] })
  const { directory, cache, name, refused } = kept
  const startedMs = clock.now()
  return withLogInLock(directory, name, options, async () => {
    const cached = forceRefresh ? undefined : cache.read(name, clock.now())
    if (cached !== undefined && (cached.token !== refused?.token || (await isConfirmed(cached, options)))) return cached
    const failure = directory.read(`${name}.failure`)
    if (failure !== undefined && !forceRefresh && Number(failure.split(' ')[0]) >= startedMs)
      throw new UsageError(failure.slice(failure.indexOf(' ') + 1))
    const typed = { count: 0, secrets: [] }
    try {
      const token = await logInAnew(inputs, options, typed)
      keep(kept, token, options)
      return token
    } catch (error) {
      if (isUsageError(error) && typed.count === 0) remember(kept, `${clock.now()} ${error.message}`)
      throw error
    }
  })
}

/** Keystone that cannot be asked confirms nothing and refuses nothing: the webhook decides. */
async function isConfirmed(cached: CachedToken, { clock }: CredentialOptions): Promise<boolean> {
  const { api } = connectKeystone(cached.authUrl, readTls(cached.tls), clock)
  const valid = await isStillValid(api, concealToken(cached.token), clock.now() + CHECK_TIMEOUT_MS)
  return valid.ok ? valid.value : true
}

function keep({ directory, cache, name }: Kept, token: CachedToken, { clock, tell }: CredentialOptions): void {
  try {
    cache.write(name, token, clock.now())
    directory.remove(`${name}.failure`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown error'
    tell(`the token is not cached: ${directory.path} cannot be written (${code})`)
  }
}

function remember({ directory, name }: Kept, failure: string): void {
  try {
    directory.write(`${name}.failure`, failure)
  } catch {
    // Those that wait will ask Keystone themselves.
  }
}
