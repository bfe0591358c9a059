import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Stage } from './stage.ts'

/** Serves on a port of 127.0.0.1 that the system picks, until the stage is closed; returns `127.0.0.1:<port>`. */
export async function serveLoopback(stage: Stage, handle: RequestListener): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  stage.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return `127.0.0.1:${address.port}`
}

/** An answer of a stand-in for Keystone, as JSON unless the headers say otherwise. */
export interface StandInAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** Serves answers that `choose` picks in Keystone's stead; returns the root of the Identity API. */
export async function serveKeystoneStandIn(
  stage: Stage,
  choose: (request: IncomingMessage) => StandInAnswer,
): Promise<string> {
  const address = await serveLoopback(stage, (request, response) => {
    const { status, headers, body } = choose(request)
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(body)
  })
  return `http://${address}/v3`
}
