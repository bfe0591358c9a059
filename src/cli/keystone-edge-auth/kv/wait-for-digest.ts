import * as v from 'valibot'
import type { Fetch } from '../../../keystone/api.ts'
import type { DocumentKind } from '../check/document-kind.ts'
import { CommandError, EXIT, usageError } from '../command-error.ts'
import type { CommandContext } from '../context.ts'
import { note } from '../output.ts'
import { readToken } from '../read-token.ts'
import { checkWebhookUrl } from '../webhook-url.ts'

/** An edit is in force after 135 s at worst (contract: propagation 60, edge cache 30, refresh 45). */
const MAX_WAIT_MS = 150_000
const PAUSE_MS = 3000

/** Where the Worker is, the credential that `/readyz` asks for, and the authority of the certificate. */
export interface ReadyFlags {
  readonly url?: string
  readonly callerTokenFile?: string
  readonly cacert?: string
}

const Ready = v.object({ documents: v.record(v.string(), v.object({ digest: v.nullable(v.string()) })) })

/** Refuses an address to which the credential of a caller may not go, before anything is put. */
export function checkReadyUrl({ url, callerTokenFile }: ReadyFlags): void {
  if (url === undefined) return
  if (callerTokenFile === undefined) throw usageError('--url needs --caller-token-file, as /readyz asks for a caller')
  checkWebhookUrl(url)
}

/** Waits until `/readyz` shows the digest of a document. Without `--url` it does not wait, and says how to. */
export async function waitForDigest(
  context: CommandContext,
  kind: DocumentKind,
  digest: string,
  { url, callerTokenFile, cacert }: ReadyFlags,
): Promise<boolean> {
  if (url === undefined || callerTokenFile === undefined) {
    note(context, 'It is in force mostly within a minute; --url and --caller-token-file wait for that.')
    return false
  }
  const asked = { url: checkWebhookUrl(url), kind, token: await readToken(context, callerTokenFile) }
  const { fetch } = await context.connect(cacert)
  note(context, `waiting until ${asked.url}/readyz shows ${digest.slice(0, 12)} …`)
  const end = context.now() + MAX_WAIT_MS
  for (;;) {
    const shown = await readDigest(fetch, asked)
    if (shown === digest) return true
    if (context.now() + PAUSE_MS > end)
      throw new CommandError(
        EXIT.unreachable,
        `the document is put, and /readyz does not show it after ${MAX_WAIT_MS / 1000} s`,
        'keystone-edge-auth doctor shows what is wrong',
      )
    await context.sleep(PAUSE_MS)
  }
}

async function readDigest(
  fetch: Fetch,
  { url, kind, token }: { readonly url: string; readonly kind: DocumentKind; readonly token: string },
): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    })
    const parsed = v.safeParse(Ready, await response.json())
    return parsed.success ? (parsed.output.documents[kind]?.digest ?? undefined) : undefined
  } catch {
    return undefined
  }
}
