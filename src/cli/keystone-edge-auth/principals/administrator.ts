import { homedir } from 'node:os'
import type { KeystoneApi } from '../../../keystone/api.ts'
import { revealToken } from '../../../lib/secret.ts'
import { gatherInputs } from '../../client-keystone-auth/log-in-inputs.ts'
import { connectKeystone, obtainToken } from '../../client-keystone-auth/obtain-token.ts'
import { readTls, tlsFilesOf } from '../../client-keystone-auth/tls-files.ts'
import { toAuthType } from '../../shared/openstack/auth-type.ts'
import { toAuthUrl } from '../../shared/openstack/auth-url.ts'
import { readCloud } from '../../shared/openstack/cloud.ts'
import { guardSecrets } from '../../shared/openstack/guard-secrets.ts'
import { planLogIn } from '../../shared/openstack/plan-log-in.ts'
import { mergeSettings, type Settings } from '../../shared/openstack/settings.ts'
import { SYSTEM_CLOCK } from '../../shared/system-clock.ts'
import { isUsageError } from '../../shared/usage-error.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'

/** Keystone, asked as an administrator: a GET request, with the limit of its answer in bytes. */
export type AskKeystone = (path: string, maxAnswerBytes: number) => ReturnType<KeystoneApi>

const TIMEOUT_MS = 60_000

/**
 * Logs in to Keystone by the variables OS_* or a cloud of clouds.yaml, as the `openstack` command does. Nothing is asked
 * for on the terminal. Settings that cannot work end the command with 2, a log-in that fails with 3.
 */
export async function logInAsAdministrator(context: CommandContext, cloud: string | undefined): Promise<AskKeystone> {
  const ask = async () => undefined
  const settings = await naming(EXIT.usage, async () => {
    const read = readSettings(context, cloud)
    toAuthUrl(read)
    await planLogIn(read, toAuthType(read), ask)
    return read
  })
  const tls = await naming(EXIT.usage, async () => readTls(tlsFilesOf(settings)))
  const tell = (message: string): void => note(context, message)
  if (tls.insecure) tell('the certificate of Keystone is not verified: anybody on the way can read the password')
  const deps = { clock: SYSTEM_CLOCK, ask, typed: { count: 0, secrets: [] }, tls, tell, canAsk: false }
  const { token } = await naming(EXIT.unreachable, () => obtainToken(settings, deps))
  const { api } = connectKeystone(toAuthUrl(settings), tls, SYSTEM_CLOCK)
  const headers = { 'X-Auth-Token': revealToken(token) }
  return (path, maxAnswerBytes) => api({ path, headers, deadlineMs: SYSTEM_CLOCK.now() + TIMEOUT_MS, maxAnswerBytes })
}

function readSettings(context: CommandContext, cloud: string | undefined): Settings {
  const env = context.process.env ?? {}
  const values = new Map(cloud === undefined ? [] : [['cloud', cloud] as const])
  const flags = { settings: new Map(), booleans: new Set<string>(), values, positionals: [], secrets: [] }
  const inputs = gatherInputs(flags, { env, platform: process.platform, home: homedir(), cwd: process.cwd() })
  const found = readCloud(inputs.files, { name: inputs.cloud, allowsForeignSecrets: false })
  const settings = mergeSettings(inputs.flags, inputs.variables, found?.settings ?? new Map())
  guardSecrets(settings, found)
  if (!settings.has('auth_url'))
    throw usageError('which Keystone is meant?', 'set OS_AUTH_URL and the other variables, OS_CLOUD, or give --cloud')
  return settings
}

/** The messages of the log-in hold no secret. */
async function naming<T>(exitCode: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isUsageError(error)) throw new CommandError(exitCode, error.message)
    throw error
  }
}
