import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What the gate does with the next requests: let them through, hold them, or break them on the wire. */
export type GateMode = 'open' | 'hold' | 'reset' | 'truncate' | 'drip' | 'redirect' | 'status-500' | 'not-keystone'

/** A real socket in front of a Keystone, which counts requests and can misbehave as networks do. */
export interface KeystoneGate {
  readonly url: string
  mode: GateMode
  /** `METHOD path` of every request, in order. */
  readonly requests: string[]
  /** The most requests that were under way at once. */
  busiest: number
  /** Resolves when so many requests have arrived in all. */
  arrived(count: number): Promise<void>
  /** Answers everything that is held. */
  release(): void
  close(): Promise<void>
}

export async function openKeystoneGate(upstream: string): Promise<KeystoneGate> {
  const held: (() => void)[] = []
  const waiting: { count: number; done: () => void }[] = []
  const sockets = new Set<Socket>()
  let underWay = 0
  const server: Server = createServer((request, response) => {
    underWay += 1
    gate.busiest = Math.max(gate.busiest, underWay)
    response.on('close', () => {
      underWay -= 1
    })
    gate.requests.push(`${request.method} ${request.url}`)
    for (const { count, done } of waiting) if (gate.requests.length >= count) done()
    if (gate.mode === 'hold') held.push(() => void forward(upstream, request, response))
    else if (gate.mode === 'open') void forward(upstream, request, response)
    else misbehave(gate.mode, request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const gate: KeystoneGate = {
    url: `http://127.0.0.1:${port}/v3`,
    mode: 'open',
    requests: [],
    busiest: 0,
    arrived: (count) => new Promise((done) => (gate.requests.length >= count ? done() : waiting.push({ count, done }))),
    release: () => {
      for (const answer of held.splice(0)) answer()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((done) => server.close(() => done()))
    },
  }
  return gate
}

async function forward(upstream: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'host' && name !== 'connection') headers.set(name, value)
  }
  const answer = await fetch(upstream + (request.url ?? '').replace(/^\/v3/, ''), {
    method: request.method ?? 'GET',
    headers,
  })
  const body = Buffer.from(await answer.arrayBuffer())
  const subject = answer.headers.get('x-subject-token')
  response.writeHead(answer.status, {
    'Content-Type': answer.headers.get('content-type') ?? 'application/json',
    ...(subject !== null && { 'X-Subject-Token': subject }),
  })
  response.end(body)
}

function misbehave(mode: GateMode, request: IncomingMessage, response: ServerResponse): void {
  switch (mode) {
    case 'reset':
      request.socket.resetAndDestroy()
      break
    case 'truncate':
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '5000' })
      response.write('{"token": {"user": {"name": "admin"')
      setImmediate(() => request.socket.destroy())
      break
    case 'drip':
      // Headers and a first byte, then nothing: the body must be inside the deadline as well.
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{')
      break
    case 'redirect':
      response.writeHead(302, { Location: 'http://127.0.0.1:9/v3/auth/tokens' }).end()
      break
    case 'status-500':
      response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"error": {"code": 500}}')
      break
    default:
      response.writeHead(404, { 'Content-Type': 'text/html' }).end('<html><title>404 Not Found</title></html>')
  }
}
