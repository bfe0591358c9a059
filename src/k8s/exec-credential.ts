import { err, ok, type Result } from '../lib/result.ts'

const GROUP = 'client.authentication.k8s.io'
type Version = 'v1' | 'v1beta1'

/** What kubectl asks a credential plugin for. */
export interface ExecRequest {
  readonly version: Version
  /** Whether the plugin may ask the user; `undefined` where nobody said so. */
  readonly interactive: boolean | undefined
}

/**
 * Reads the variable `KUBERNETES_EXEC_INFO` (client-go credential plugins). Without it v1beta1 is answered, as the Go
 * program does. The error is a sentence for people.
 */
export function parseExecInfo(text: string | undefined): Result<ExecRequest, string> {
  if (text === undefined || text === '') return ok({ version: 'v1beta1', interactive: undefined })
  let info: unknown
  try {
    info = JSON.parse(text)
  } catch {
    return err('KUBERNETES_EXEC_INFO is not JSON: it is set by kubectl, unset it to run the plugin by hand')
  }
  const { apiVersion, spec } = toObject(info)
  const version = versionOf(apiVersion)
  if (version === undefined)
    return err(
      `KUBERNETES_EXEC_INFO asks for ${typeof apiVersion === 'string' ? apiVersion.slice(0, 80) : 'no apiVersion'}: set apiVersion of the exec plugin in the kubeconfig to ${GROUP}/v1 or ${GROUP}/v1beta1`,
    )
  const { interactive } = toObject(spec)
  return ok({ version, interactive: typeof interactive === 'boolean' ? interactive : undefined })
}

/** The answer of a credential plugin, one line of JSON. */
export function encodeExecCredential(version: Version, token: string, expiresAtMs: number): string {
  const expirationTimestamp = `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`
  return `${JSON.stringify({
    apiVersion: `${GROUP}/${version}`,
    kind: 'ExecCredential',
    status: { expirationTimestamp, token },
  })}\n`
}

function versionOf(apiVersion: unknown): Version | undefined {
  if (apiVersion === `${GROUP}/v1`) return 'v1'
  return apiVersion === `${GROUP}/v1beta1` ? 'v1beta1' : undefined
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
