import { createHash, randomBytes } from 'node:crypto'
import type { Stage } from './stage.ts'
import { serveWorker, type Workerd } from './workerd.ts'

/** The product's bundle on a workerd of its own, as a deployment would configure it. */
export interface Webhook extends Workerd {
  /** What the only caller sends. */
  readonly authorization: string
}

export interface WebhookOptions {
  /** Names the process; once a stage. */
  readonly name: string
  readonly keystoneUrl: string
  /** The namespace CONFIG, by key. */
  readonly documents: Readonly<Record<string, string>>
  /** The caller's; a new one when absent. Two webhooks that get the same POST share it. */
  readonly credential?: string
}

/** Serves the bundle with fresh secrets and every setting at its default, audit lines included. */
export async function serveWebhook(stage: Stage, options: WebhookOptions): Promise<Webhook> {
  const credential = options.credential ?? randomBytes(32).toString('base64url')
  const digest = createHash('sha256').update(credential).digest('hex')
  const workerd = await serveWorker(stage, {
    name: options.name,
    script: stage.bundle,
    bindings: [
      { name: 'KEYSTONE_URL', text: options.keystoneUrl },
      { name: 'CACHE_KEYS', text: JSON.stringify([randomBytes(32).toString('base64')]) },
      { name: 'CALLERS', text: JSON.stringify({ bench: { credentials: [`sha256:${digest}`] } }) },
      { name: 'CONFIG', documents: options.documents },
      { name: 'CACHE', documents: {} },
    ],
  })
  return { ...workerd, authorization: `Bearer ${credential}` }
}
