import { createHash, X509Certificate } from 'node:crypto'
import { isClusterName, parseCallers } from '../../../documents/callers.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson, printLines } from '../output.ts'
import { addCaller, finishRotation, listCallers, removeCaller } from './edit-callers.ts'
import { type Editable, type EditTarget, type ListFlags, openTarget, type TargetFlags, unwrap } from './edit-target.ts'
import { confirmTokenFile, draftToken, makeToken, showToken, type TokenFlags } from './new-token.ts'

const CALLERS: Editable = { kind: 'callers', parse: parseCallers }

export type CallerFlags = Omit<TargetFlags, 'cluster'>
export type AddCallerFlags = CallerFlags & TokenFlags & { readonly certificate?: string; readonly digest?: string }

/** Runs `caller add CLUSTER`: a new token, a certificate, or a token that is there already, may ask for the cluster. */
export async function addCallerCommand(this: CommandContext, flags: AddCallerFlags, cluster: string): Promise<void> {
  checkName(cluster)
  const { certificate, digest, tokenFile } = flags
  if ([certificate, digest, tokenFile].filter((one) => one !== undefined).length > 1)
    throw usageError('give one of --certificate, --digest and --token-file')
  const credential = certificate === undefined ? digest : await fingerprintOf(this, certificate)
  if (credential === undefined) {
    await addToken(this, flags, cluster, await openTarget(this, flags, CALLERS))
    return
  }
  const target = await openTarget(this, flags, CALLERS)
  await target.save(unwrap(addCaller(target.document, cluster, credential)))
  if (flags.output === 'json') printJson(this, { cluster, credential })
  else printLines(this, [`${target.name}: ${cluster} may use ${credential}`])
  await target.settle()
}

/** Runs `caller rotate CLUSTER`: a second token beside the first; with `--finish` the older ones are removed. */
export async function rotateCallerCommand(
  this: CommandContext,
  flags: CallerFlags & TokenFlags & { readonly finish: boolean },
  cluster: string,
): Promise<void> {
  checkName(cluster)
  const target = await openTarget(this, flags, CALLERS)
  if (!Object.hasOwn(target.document, cluster)) throw new CommandError(EXIT.fault, `there is no cluster ${cluster}`)
  if (!flags.finish) {
    await addToken(this, flags, cluster, target)
    note(this, 'Both tokens work. When every control-plane node has the new one: caller rotate with --finish.')
    return
  }
  const finished = unwrap(finishRotation(target.document, cluster))
  await target.save(finished, { question: `Remove the older tokens of ${cluster}?` })
  if (flags.output === 'json') printJson(this, listCallers(finished, cluster))
  else printLines(this, [`${target.name}: ${cluster} has its newest token only`])
  await target.settle()
}

async function addToken(
  context: CommandContext,
  flags: CallerFlags & TokenFlags,
  cluster: string,
  target: EditTarget,
): Promise<void> {
  await confirmTokenFile(context, flags)
  const made = makeToken(context)
  const draft = draftToken(context, made, flags)
  await target.save(unwrap(addCaller(target.document, cluster, made.digest)), { ...(draft && { draft }) })
  const json = { cluster, credential: made.digest }
  showToken(context, made, { name: target.name, owner: cluster, json }, flags)
  await target.settle()
}

/** Runs `caller list`. */
export async function listCallersCommand(
  this: CommandContext,
  flags: Omit<ListFlags, 'cluster'>,
  cluster?: string,
): Promise<void> {
  const { document } = await openTarget(this, { ...flags, yes: false }, CALLERS)
  const found = listCallers(document, cluster)
  if (flags.output === 'json') printJson(this, found)
  else
    printLines(
      this,
      found.map((one) => `${one.cluster}  ${one.kind}  ${one.credential}`),
    )
}

/** Runs `caller remove CLUSTER`: the cluster, or one credential of it. */
export async function removeCallerCommand(
  this: CommandContext,
  flags: CallerFlags & { readonly credential?: string },
  cluster: string,
): Promise<void> {
  const target = await openTarget(this, flags, CALLERS)
  const edited = unwrap(removeCaller(target.document, cluster, flags.credential))
  const what =
    flags.credential === undefined ? `cluster ${cluster}` : `the credential ${flags.credential} of ${cluster}`
  await target.save(edited, { question: `Remove ${what}? Its kube-apiserver can then ask no more.` })
  if (flags.output === 'json') printJson(this, listCallers(edited))
  else printLines(this, [`${target.name}: removed ${what}`])
  await target.settle()
}

function checkName(cluster: string): void {
  if (isClusterName(cluster)) return
  throw usageError(
    `${cluster} is no name of a cluster`,
    '1 to 63 of a-z, 0-9, "." and "-"; a letter or digit at both ends',
  )
}

/** `cert:` and the SHA-256 of a certificate in PEM or DER, as Cloudflare shows it. */
async function fingerprintOf(context: CommandContext, file: string): Promise<string> {
  const bytes = await context.files.read(file, 64 * 1024)
  try {
    return `cert:${createHash('sha256').update(new X509Certificate(bytes).raw).digest('hex')}`
  } catch {
    throw new CommandError(EXIT.fault, `${file} holds no certificate`, 'give one in PEM or DER')
  }
}
