import { CacheDirectory } from './cache-directory.ts'
import type { CredentialOptions } from './credential-options.ts'
import { type LogInInputs, toCacheKey } from './log-in-inputs.ts'
import { identityOf } from './process-identity.ts'
import { type CachedToken, TokenCache } from './token-cache.ts'

/** A token for kubectl, and until when it may be used, by this machine's clock. */
export interface Credential {
  readonly token: string
  readonly expiresAtMs: number
}

/**
 * A credential for these inputs: the cached one while it is valid, else a new one of Keystone. client-go says nothing of
 * a 401, it only runs the plugin again; so a parent process that was given the cached token before gets it again only
 * after Keystone said that it is still valid.
 * @throws UsageError that says why there is none
 */
export async function getCredential(inputs: LogInInputs, options: CredentialOptions): Promise<Credential> {
  const { clock, forceRefresh, parentId } = options
  const directory = openDirectory(options)
  if (directory === undefined) return (await import('./cold.ts')).renew(inputs, options, undefined)
  const cache = new TokenCache(directory)
  const name = cache.nameOf(toCacheKey(inputs))
  const parent = identityOf(parentId)
  const cached = forceRefresh ? undefined : cache.read(name, clock.now())
  if (cached !== undefined && !cache.wasServed(name, parent)) return serve(cached, { cache, name, parent })
  const { renew } = await import('./cold.ts')
  const token = await renew(inputs, options, { directory, cache, name, refused: cached })
  return serve(token, { cache, name, parent })
}

function serve(
  { token, expiresAtMs }: CachedToken,
  { cache, name, parent }: { readonly cache: TokenCache; readonly name: string; readonly parent: string },
): Credential {
  try {
    cache.markServed(name, parent)
  } catch {
    // A full disk: the token is good all the same.
  }
  return { token, expiresAtMs }
}

function openDirectory({ cachePath, tell }: CredentialOptions): CacheDirectory | undefined {
  if (cachePath === undefined) return undefined
  try {
    return new CacheDirectory(cachePath)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown error'
    tell(`tokens are not cached: ${cachePath} cannot be used (${code}); --no-cache ends this warning`)
    return undefined
  }
}
