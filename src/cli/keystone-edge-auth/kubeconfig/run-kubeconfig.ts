import { stringify } from 'yaml'
import { isClusterName } from '../../../documents/callers.ts'
import { usageError } from '../command-error.ts'
import { readAuthority } from '../connect.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson } from '../output.ts'
import { confirmOverwrite } from '../prompts.ts'
import { readToken } from '../read-token.ts'
import { configurationVersion, readMinorVersion } from './authorization-configuration.ts'
import { type ControlPlaneChange, controlPlaneChanges, DIRECTORIES, type Platform } from './control-plane.ts'
import { readUrl, toKubeconfig, type WebhookTarget } from './webhook-kubeconfig.ts'

export interface KubeconfigFlags {
  readonly url: string
  readonly callerTokenFile?: string
  readonly cacert?: string
  readonly embedToken: boolean
  readonly for?: Platform
  readonly kubernetesVersion?: string
  readonly out?: string
  readonly yes: boolean
  readonly output: 'text' | 'json'
}

/** Runs `kubeconfig CLUSTER`: the kubeconfig for kube-apiserver's webhook flags, and what else has to change. */
export default async function runKubeconfig(
  this: CommandContext,
  flags: KubeconfigFlags,
  cluster: string,
): Promise<void> {
  if (!isClusterName(cluster))
    throw usageError(
      `${cluster} is no name of a cluster`,
      '1 to 63 of a-z, 0-9, "." and "-"; a letter or digit at both ends',
    )
  const read = readUrl(flags.url)
  if ('fault' in read) throw usageError(`--url ${read.fault}`)
  const directory = DIRECTORIES[flags.for ?? 'kubeadm']
  const version = readVersion(flags)
  const credential = await readCredential(this, flags, directory)
  const ca = flags.cacert === undefined ? undefined : await readAuthority(this.files, flags.cacert)
  const kubeconfig = toKubeconfig({ cluster, url: read.url, credential, ...(ca !== undefined && { ca }) })
  const changes = flags.for === undefined ? [] : controlPlaneChanges(flags.for, { directory, version })
  if (flags.out !== undefined) {
    await confirmOverwrite(this, [flags.out], flags.yes)
    await this.files.write(flags.out, stringify(kubeconfig), { secret: true })
  }
  if (flags.output === 'json') {
    printJson(this, flags.embedToken ? { file: flags.out, changes } : { kubeconfig, changes })
    return
  }
  if (flags.out === undefined) this.process.stdout.write(stringify(kubeconfig))
  else note(this, `wrote ${flags.out}`)
  for (const change of changes) note(this, formatChange(change))
}

function readVersion({ for: platform, kubernetesVersion }: KubeconfigFlags): string {
  if (kubernetesVersion === undefined) return 'v1'
  const minor = readMinorVersion(kubernetesVersion)
  if (minor === undefined)
    throw usageError(`--kubernetes-version ${kubernetesVersion} is none`, 'give one such as 1.34')
  const version = configurationVersion(minor)
  if (version !== undefined) return version
  if (platform === 'structured')
    throw usageError(`Kubernetes 1.${minor} has no structured authorization`, 'use the flags of docs/policy.md')
  return 'v1'
}

/** The token itself only ever goes into a file that its owner alone can read. */
async function readCredential(
  context: CommandContext,
  { callerTokenFile, embedToken, out }: KubeconfigFlags,
  directory: string,
): Promise<WebhookTarget['credential']> {
  if (!embedToken) return { tokenFile: callerTokenFile ?? `${directory}/caller-token` }
  if (callerTokenFile === undefined || out === undefined)
    throw usageError(
      '--embed-token needs --caller-token-file, to read it, and --out, to write it to a file of mode 0600',
    )
  return { token: await readToken(context, callerTokenFile) }
}

function formatChange({ about, file, content }: ControlPlaneChange): string {
  return `\n# ${about}${file === undefined ? '' : `\n# ${file}`}\n${content.trimEnd()}`
}
