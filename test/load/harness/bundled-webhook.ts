import { createHash, randomBytes } from 'node:crypto'
import type { KvServer } from './kv-server.ts'
import type { Stage } from './stage.ts'
import { serveWorker, type Workerd } from './workerd.ts'
import type { Binding, Socket } from './workerd-config.ts'

/** The product's bundle on a workerd of its own, as a deployment would configure it. */
export interface Webhook extends Workerd {
  /** What the only caller sends. */
  readonly authorization: string
}

interface WebhookOptions {
  /** Names the process; once a stage. */
  readonly name: string
  readonly keystoneUrl: string
  /** Path of the bundle; the stage's when absent. */
  readonly bundle?: string
  /** The namespace CONFIG: by key, or served. */
  readonly documents: Readonly<Record<string, string>> | KvServer
  /** The namespace CACHE; one that forgets what is written when absent. */
  readonly cache?: KvServer
  /** The caller's; a new one when absent. Two webhooks that get the same POST share it. */
  readonly credential?: string
  /** Vars and secrets, over the defaults. */
  readonly vars?: Readonly<Record<string, string>>
  readonly socket?: Socket
  /** See `WorkerdOptions`. */
  readonly printsLog?: boolean
}

/** Serves the bundle with fresh secrets and every setting at its default, audit lines included. */
export async function serveWebhook(stage: Stage, options: WebhookOptions): Promise<Webhook> {
  const credential = options.credential ?? randomBytes(32).toString('base64url')
  const digest = createHash('sha256').update(credential).digest('hex')
  const vars = {
    KEYSTONE_URL: options.keystoneUrl,
    CACHE_KEYS: JSON.stringify([randomBytes(32).toString('base64')]),
    CALLERS: JSON.stringify({ bench: { credentials: [`sha256:${digest}`] } }),
    ...options.vars,
  }
  const workerd = await serveWorker(stage, {
    name: options.name,
    script: options.bundle ?? stage.bundle,
    bindings: [
      ...Object.entries(vars).map(([name, text]) => ({ name, text })),
      toNamespace('CONFIG', options.documents),
      toNamespace('CACHE', options.cache ?? {}),
    ],
    socket: options.socket,
    printsLog: options.printsLog,
  })
  return { ...workerd, authorization: `Bearer ${credential}` }
}

function toNamespace(name: string, source: WebhookOptions['documents']): Binding {
  return isServed(source) ? { name, address: source.address } : { name, documents: source }
}

function isServed(source: WebhookOptions['documents']): source is KvServer {
  return source.values instanceof Map
}
