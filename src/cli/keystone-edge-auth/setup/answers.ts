import { isClusterName } from '../../../documents/callers.ts'
import { isKeystoneId } from '../../../keystone/ids.ts'
import { usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { checkKeystoneUrl } from '../keystone-url.ts'
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
