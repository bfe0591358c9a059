import * as v from 'valibot'
import type { DocumentKind } from '../check/document-kind.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'

/** An edit is in force after 135 s at worst (contract: propagation 60, edge cache 30, refresh 45). */
const MAX_WAIT_MS = 150_000
const PAUSE_MS = 3000

/** Where the Worker is, and the credential that `/readyz` asks for. */
interface ReadyFlags {
  readonly url?: string
  readonly callerTokenFile?: string
}

const Ready = v.object({ documents: v.record(v.string(), v.object({ digest: v.nullable(v.string()) })) })

/** Refuses an address to which the credential of a caller may not go, before anything is put. */
export function checkReadyUrl({ url, callerTokenFile }: ReadyFlags): void {
  if (url === undefined) return
  if (callerTokenFile === undefined) throw usageError('--url needs --caller-token-file, as /readyz asks for a caller')
  if (!/^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?=[:/]|$)/i.test(url))
    throw usageError('--url is not https', "the caller's credential goes over https only, or to this machine")
}

/** Waits until `/readyz` shows the digest of a document. Without `--url` it does not wait, and says how to. */
export async function waitForDigest(
  context: CommandContext,
  kind: DocumentKind,
  digest: string,
  { url, callerTokenFile }: ReadyFlags,
): Promise<boolean> {
  if (url === undefined || callerTokenFile === undefined) {
    note(context, 'It is in force mostly within a minute; --url and --caller-token-file wait for that.')
    return false
  }
  const token = new TextDecoder().decode(await context.files.read(callerTokenFile, 16 * 1024)).trim()
  note(context, `waiting until ${url}/readyz shows ${digest.slice(0, 12)} …`)
  const end = context.now() + MAX_WAIT_MS
  for (;;) {
    const shown = await readDigest(context, url, kind, token)
    if (shown === digest) return true
    if (context.now() + PAUSE_MS > end)
      throw new CommandError(
        EXIT.unreachable,
        `the document is put, and /readyz does not show it after ${MAX_WAIT_MS / 1000} s`,
        'look at /readyz and the log of the Worker',
      )
    await context.sleep(PAUSE_MS)
  }
}

async function readDigest(
  context: CommandContext,
  url: string,
  kind: DocumentKind,
  token: string,
): Promise<string | undefined> {
  try {
    const response = await context.fetch(`${url.replace(/\/+$/, '')}/readyz`, {
      headers: { Authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    })
    const parsed = v.safeParse(Ready, await response.json())
    return parsed.success ? (parsed.output.documents[kind]?.digest ?? undefined) : undefined
  } catch {
    return undefined
  }
}
