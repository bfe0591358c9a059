import { createHash, X509Certificate } from 'node:crypto'
import { isClusterName, parseCallers } from '../../../documents/callers.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note, printJson, printLines } from '../output.ts'
import { confirm } from '../prompts.ts'
import { readForEdit, unwrap, writeEdited } from './document-file.ts'
import { addCaller, finishRotation, listCallers, removeCaller } from './edit-callers.ts'
import { confirmTokenFile, makeToken, type TokenFlags, writeToken } from './new-token.ts'

const parse = (document: unknown) => parseCallers(document)

export interface AddCallerFlags extends TokenFlags {
  readonly file: string
  readonly certificate?: string
}

/** Runs `caller add CLUSTER`: a new token, or a certificate, may ask for the cluster. */
export async function addCallerCommand(this: CommandContext, flags: AddCallerFlags, cluster: string): Promise<void> {
  checkName(cluster)
  const document = await readForEdit(this, flags.file, parse)
  if (flags.certificate !== undefined) {
    const credential = await fingerprintOf(this, flags.certificate)
    await writeEdited(this, flags.file, unwrap(addCaller(document, cluster, credential)), parse)
    if (flags.output === 'json') printJson(this, { cluster, credential })
    else printLines(this, [`${flags.file}: ${cluster} may use the certificate ${credential}`])
    return
  }
  await addToken(this, flags, cluster, document)
}

/** Runs `caller rotate CLUSTER`: a second token beside the first; with `--finish` the older ones are removed. */
export async function rotateCallerCommand(
  this: CommandContext,
  flags: TokenFlags & { readonly file: string; readonly finish: boolean },
  cluster: string,
): Promise<void> {
  checkName(cluster)
  const document = await readForEdit(this, flags.file, parse)
  if (!Object.hasOwn(document, cluster)) throw new CommandError(EXIT.fault, `there is no cluster ${cluster}`)
  if (!flags.finish) {
    await addToken(this, flags, cluster, document)
    note(this, 'Both tokens work. When every control-plane node has the new one: caller rotate with --finish.')
    return
  }
  const finished = unwrap(finishRotation(document, cluster))
  await confirm(this, `Remove the older tokens of ${cluster}?`, flags.yes)
  await writeEdited(this, flags.file, finished, parse)
  if (flags.output === 'json') printJson(this, listCallers(finished, cluster))
  else printLines(this, [`${flags.file}: ${cluster} has its newest token only`])
}

async function addToken(
  context: CommandContext,
  flags: TokenFlags & { readonly file: string },
  cluster: string,
  document: Readonly<Record<string, unknown>>,
): Promise<void> {
  await confirmTokenFile(context, flags)
  const made = makeToken(context)
  const edited = unwrap(addCaller(document, cluster, made.digest))
  await writeToken(context, made, flags)
  await writeEdited(context, flags.file, edited, parse)
  const shown = flags.tokenFile === undefined ? { token: made.token } : { tokenFile: flags.tokenFile }
  if (flags.output === 'json') printJson(context, { cluster, credential: made.digest, ...shown })
  else if (flags.tokenFile === undefined) {
    note(context, `${flags.file}: ${cluster} has a new token, which is shown this once:`)
    printLines(context, [made.token])
  } else note(context, `${flags.file}: ${cluster} has a new token`)
}

/** Runs `caller list`. */
export async function listCallersCommand(
  this: CommandContext,
  flags: { readonly file: string; readonly output: 'text' | 'json' },
  cluster?: string,
): Promise<void> {
  const found = listCallers(await readForEdit(this, flags.file, parse), cluster)
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
  flags: {
    readonly file: string
    readonly credential?: string
    readonly yes: boolean
    readonly output: 'text' | 'json'
  },
  cluster: string,
): Promise<void> {
  const document = await readForEdit(this, flags.file, parse)
  const edited = unwrap(removeCaller(document, cluster, flags.credential))
  const what =
    flags.credential === undefined ? `cluster ${cluster}` : `the credential ${flags.credential} of ${cluster}`
  await confirm(this, `Remove ${what}? Its kube-apiserver can then ask no more.`, flags.yes)
  await writeEdited(this, flags.file, edited, parse)
  if (flags.output === 'json') printJson(this, listCallers(edited))
  else printLines(this, [`${flags.file}: removed ${what}`])
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
