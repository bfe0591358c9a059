import { createKeystoneApi } from '../../../keystone/api.ts'
import type { Identity } from '../../../keystone/identity.ts'
import { createLookUpToken } from '../../../keystone/validate.ts'
import { concealToken } from '../../../lib/secret.ts'
import { VERSION } from '../../../lib/version.ts'
import { SYSTEM_CLOCK } from '../../shared/system-clock.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { checkKeystoneUrl } from '../keystone-url.ts'
import { note } from '../output.ts'
import { readToken } from '../read-token.ts'
import { tidy } from '../tidy.ts'
import type { UserFlags } from './mapping-facts.ts'

/** The flags by which Keystone itself says who logs in. */
export interface TokenFlags {
  readonly tokenFile?: string
  readonly keystoneUrl?: string
  readonly cacert?: string
}

const TIMEOUT_MS = 10_000
const REFUSALS = {
  rejected: 'Keystone does not know the token, or no longer',
  expired: 'the token has expired',
  access_rules: 'the token is that of an application credential with access rules, which is refused',
} as const

/**
 * What Keystone says about the token of `--token-file`, asked from here as the Worker asks: the token validates itself.
 * `undefined` without the flag. A refused token ends the command with 1, a Keystone that cannot be asked with 3.
 */
export async function readIdentity(
  context: CommandContext,
  flags: TokenFlags & UserFlags & { readonly facts?: string },
): Promise<Identity | undefined> {
  const { tokenFile, keystoneUrl, cacert } = flags
  if (tokenFile === undefined) {
    if (keystoneUrl !== undefined) throw usageError('--keystone-url needs --token-file')
    return undefined
  }
  if (keystoneUrl === undefined) throw usageError('--token-file needs --keystone-url, such as https://…/v3')
  const given = [flags.facts, flags.user, flags.userId, flags.domain, flags.project, flags.projectId, flags.scope]
  if (given.some((one) => one !== undefined) || flags.role !== undefined || flags.group !== undefined)
    throw usageError('--token-file has all facts', 'leave --facts and the flags of the user out')
  const url = checkKeystoneUrl(keystoneUrl)
  const token = await readToken(context, tokenFile)
  const transport = await context.connect(cacert)
  const userAgent = `keystone-edge-auth/${VERSION}`
  const api = createKeystoneApi({ fetch: transport.fetch, url, timeoutMs: TIMEOUT_MS, userAgent, clock: SYSTEM_CLOCK })
  const lookUp = createLookUpToken(api, SYSTEM_CLOCK)
  const { result } = await lookUp(concealToken(token), () => true, SYSTEM_CLOCK.now() + 2 * TIMEOUT_MS)
  if (result.ok) {
    note(context, describe(result.value))
    return result.value
  }
  const { error } = result
  if (error.reason !== 'unavailable') throw new CommandError(EXIT.fault, REFUSALS[error.reason])
  const { cause, status } = error
  const detail = cause === 'status' ? `status ${status}` : (transport.lastErrorCode() ?? cause)
  throw new CommandError(
    EXIT.unreachable,
    `Keystone cannot be asked at ${url} (${detail})`,
    'check --keystone-url and the network; --cacert has the authority of its certificate',
  )
}

function describe({ user, scope, roles, groups }: Identity): string {
  const what = 'name' in scope ? `${scope.kind} ${scope.name}` : scope.kind
  const inGroups = Array.isArray(groups)
    ? groups.map(({ id, name }) => name ?? id).join(', ') || 'none'
    : 'not shown by Keystone'
  return tidy(
    `the token: user ${user.name} of domain ${user.domain.id}, ${what}, roles ${roles.map(({ name }) => name).join(', ') || 'none'}, groups ${inGroups}`,
  )
}
