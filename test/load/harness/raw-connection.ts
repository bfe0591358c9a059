import { connect, type Socket } from 'node:net'
import { type Answer, readAnswer } from './http-answer.ts'

/** One request as it goes over the wire. Header values are bytes as Latin-1. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
  /** Sent in chunks, without a declared length. */
  readonly chunked: boolean
  /** Breaks HTTP itself: the server below the Worker may answer, or hang up. */
  readonly broken: boolean
}

/** How an exchange ended: with an answer, with a connection that was closed instead, or not at all. */
export type Exchange = { readonly answer: Answer } | { readonly failure: 'closed' | 'timeout' | 'not HTTP' }

/** One connection that is kept open, one request at a time. Node's own client would not send what is sent here. */
export interface Connection {
  exchange(request: RawRequest): Promise<Exchange>
  close(): void
}

/** A review takes at most 2 × 5 s + 1 s (KEYSTONE_TIMEOUT_MS at its default). */
const PATIENCE_MS = 12_000

/** A connection to a server on loopback, opened when a request needs it, and again when the server has closed it. */
export function createConnection(url: string): Connection {
  const port = Number(new URL(url).port)
  let socket: Socket | undefined

  function open(): Socket {
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    opened.on('error', () => opened.destroy())
    opened.on('close', () => {
      if (socket === opened) socket = undefined
    })
    socket = opened
    return opened
  }

  function once(request: RawRequest, on: Socket): Promise<Exchange & { readonly received: number }> {
    const { promise, resolve } = Promise.withResolvers<Exchange & { received: number }>()
    let received: Buffer = Buffer.alloc(0)
    const end = (exchange: Exchange, keep: boolean): void => {
      clearTimeout(timer)
      on.off('data', onData).off('close', onClose)
      if (!keep) on.destroy()
      resolve({ ...exchange, received: received.length })
    }
    const onClose = (): void => end({ failure: 'closed' }, false)
    const onData = (part: Buffer): void => {
      received = received.length === 0 ? part : Buffer.concat([received, part])
      const read = readAnswer(received, request.method === 'HEAD')
      if (read === 'not HTTP') end({ failure: 'not HTTP' }, false)
      else if (read !== undefined) end({ answer: read }, !request.broken && read.headers.get('connection') !== 'close')
    }
    const timer = setTimeout(() => end({ failure: 'timeout' }, false), PATIENCE_MS)
    on.on('data', onData).on('close', onClose)
    on.write(encode(request))
    return promise
  }

  return {
    async exchange(request) {
      const kept = socket
      const exchange = await once(request, kept ?? open())
      // Closed while it was idle: the request was never read, and every client sends it again.
      const stale = kept !== undefined && exchange.received === 0 && 'failure' in exchange
      return stale && exchange.failure === 'closed' ? once(request, open()) : exchange
    },
    close: () => socket?.destroy(),
  }
}

function encode({ method, path, headers, body, chunked }: RawRequest): Buffer {
  const own = (name: string): boolean => headers.some(([other]) => other.toLowerCase() === name)
  const lines = [`${method} ${path} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)]
  if (!own('host')) lines.push('Host: webhook.test')
  const bodiless = method === 'GET' || method === 'HEAD'
  if (chunked) lines.push('Transfer-Encoding: chunked')
  else if (!bodiless && !own('content-length') && !own('transfer-encoding')) {
    lines.push(`Content-Length: ${body.length}`)
  }
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return Buffer.concat([head, ...(chunked ? toChunks(body) : [body])])
}

function toChunks(body: Buffer): Buffer[] {
  const size = Math.max(1, Math.ceil(body.length / 3))
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size)
    chunks.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return [...chunks, Buffer.from('0\r\n\r\n')]
}
