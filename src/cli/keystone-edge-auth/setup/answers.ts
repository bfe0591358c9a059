import { isClusterName } from '../../../documents/callers.ts'
import { isKeystoneId } from '../../../keystone/ids.ts'
import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { askForText } from '../prompts.ts'

/** What a first deployment must know. */
export interface Answers {
  /** The root of the Identity API, without a slash at its end. */
  readonly keystoneUrl: string
  readonly homeDomain: string
  readonly cluster: string
}

export interface AnswerFlags {
  readonly keystoneUrl?: string
  readonly homeDomain?: string
  readonly cluster?: string
  readonly local: boolean
}

/** Takes the flags, and asks for what is missing. Without a terminal a missing flag is wrong usage. */
export async function collectAnswers(context: CommandContext, flags: AnswerFlags): Promise<Answers> {
  const ask = (flag: string, given: string | undefined, question: string): Promise<string> => {
    if (given !== undefined) return Promise.resolve(given)
    if (!context.canAsk) throw usageError(`--${flag} is missing, and there is no terminal to ask on`)
    return askForText(context, question)
  }
  const url = await ask('keystone-url', flags.keystoneUrl, 'Keystone URL, such as https://keystone.example.com/v3?')
  const keystoneUrl = checkKeystoneUrl(url.trim())
  const domain =
    flags.homeDomain ?? (context.canAsk ? await askForText(context, 'Id of the home domain? (empty: default)') : '')
  const homeDomain = domain.trim() === '' ? 'default' : domain.trim()
  if (homeDomain !== 'default' && !isKeystoneId(homeDomain))
    throw usageError('the home domain is given by its id', 'openstack domain show -f value -c id NAME prints it')
  const cluster = (await ask('cluster', flags.cluster, 'Name of the first cluster, such as prod-1?')).trim()
  if (!isClusterName(cluster))
    throw usageError(
      `${cluster} is no name of a cluster`,
      '1 to 63 of a-z, 0-9, "." and "-"; a letter or digit at both ends',
    )
  return { keystoneUrl, homeDomain, cluster }
}

/** The rules of the var KEYSTONE_URL (contract, "Configuration"). */
function checkKeystoneUrl(text: string): string {
  if (!URL.canParse(text)) throw usageError('the Keystone URL is none', 'expected https://keystone.example.com/v3')
  const url = new URL(text)
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback))
    throw usageError('the Keystone URL is not https', 'for a laboratory see KEYSTONE_ALLOW_HTTP in the README')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw usageError('the Keystone URL holds more than an address', 'no user, password, query or fragment')
  if (!/\/v3\/?$/.test(url.pathname)) throw usageError('the Keystone URL does not end in /v3', 'add /v3')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
