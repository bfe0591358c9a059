import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

/** What `npm start` keeps between runs, so that a kube-apiserver pointed at it goes on working. */
interface DevState {
  readonly directory: string
  readonly tls: { readonly key: string; readonly certificate: string }
  /** The `CALLERS` secret: the credential in `caller-token` is cluster `dev`'s. */
  readonly callers: string
  readonly cacheKeys: string
}

/** The cluster that `caller-token` belongs to. */
const DEV_CLUSTER = 'dev'

const VALID_DAYS = 365
const RENEW_BEFORE_MS = 7 * 24 * 3600 * 1000

/** Reads or makes the secrets of a local run. Every file is for its owner only and written whole or not at all. */
export async function loadDevState(directory: string, webhookUrl: string, now: number): Promise<DevState> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const file = (name: string): string => join(directory, name)
  const callerToken = keep(file('caller-token'), () => randomBytes(32).toString('base64url'))
  const cacheKeys = keep(file('cache-keys'), () => JSON.stringify([randomBytes(32).toString('base64')]))
  const tls = await loadTls(file, now)
  write(file('caller-header'), `Authorization: Bearer ${callerToken}\n`)
  write(file('webhook.kubeconfig'), webhookKubeconfig(webhookUrl, file('tls.crt'), file('caller-token')))
  const digest = createHash('sha256').update(callerToken).digest('hex')
  return {
    directory,
    tls,
    cacheKeys,
    callers: JSON.stringify({ [DEV_CLUSTER]: { credentials: [`sha256:${digest}`] } }),
  }
}

async function loadTls(file: (name: string) => string, now: number): Promise<DevState['tls']> {
  const [keyFile, certificateFile] = [file('tls.key'), file('tls.crt')]
  if (existsSync(keyFile) && existsSync(certificateFile)) {
    const [key, certificate] = [readFileSync(keyFile, 'utf8'), readFileSync(certificateFile, 'utf8')]
    if (new X509Certificate(certificate).validToDate.getTime() - now > RENEW_BEFORE_MS) return { key, certificate }
  }
  const made = await generate([{ name: 'commonName', value: 'keystone-edge-auth npm start' }], {
    keyType: 'ec',
    notBeforeDate: new Date(now - 3600_000),
    notAfterDate: new Date(now + VALID_DAYS * 24 * 3600_000),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  write(keyFile, made.private)
  write(certificateFile, made.cert)
  return { key: made.private, certificate: made.cert }
}

/** For `--authentication-token-webhook-config-file` and `--authorization-webhook-config-file`. JSON is YAML. */
function webhookKubeconfig(server: string, certificateFile: string, tokenFile: string): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'keystone-edge-auth', cluster: { server, 'certificate-authority': certificateFile } }],
    users: [{ name: 'kube-apiserver', user: { tokenFile } }],
    contexts: [{ name: 'webhook', context: { cluster: 'keystone-edge-auth', user: 'kube-apiserver' } }],
    'current-context': 'webhook',
  }
  return `${JSON.stringify(config, undefined, 2)}\n`
}

function keep(path: string, make: () => string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const made = make()
  write(path, made)
  return made
}

function write(path: string, text: string): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}
