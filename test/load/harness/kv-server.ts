import type { IncomingMessage, ServerResponse } from 'node:http'
import { serveLoopback } from './serve-loopback.ts'
import type { Stage } from './stage.ts'

/** A KV namespace that keeps what is written, in this process: workerd's memory is the product's alone. */
export interface KvServer {
  /** For workerd's configuration. */
  readonly address: string
  readonly values: Map<string, string>
}

/** Serves workerd's KV protocol: `GET /key`, `PUT /key`, `DELETE /key`, and `POST /bulk/get` with a list of keys. */
export async function serveKv(stage: Stage, documents: Readonly<Record<string, string>>): Promise<KvServer> {
  const values = new Map(Object.entries(documents))
  const address = await serveLoopback(stage, (request, response) => {
    answer(values, request, response).catch(() => response.destroy())
  })
  return { address, values }
}

async function answer(values: Map<string, string>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readAll(request)
  const path = new URL(request.url ?? '/', 'http://kv').pathname
  const key = decodeURIComponent(path.slice(1))
  if (request.method === 'POST' && path === '/bulk/get') {
    const { keys }: { keys: string[] } = JSON.parse(body)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(Object.fromEntries(keys.map((one) => [one, values.get(one) ?? null]))))
    return
  }
  const value = values.get(key)
  if (request.method === 'GET' && value === undefined) response.statusCode = 404
  if (request.method === 'PUT') values.set(key, body)
  if (request.method === 'DELETE') values.delete(key)
  response.end(request.method === 'GET' ? value : undefined)
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}
