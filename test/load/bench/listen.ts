import { createServer, type RequestListener } from 'node:http'
import type { Stage } from './stage.ts'

/** Serves on a port of 127.0.0.1 that the system picks, until the stage is closed; returns `127.0.0.1:<port>`. */
export async function listen(stage: Stage, handle: RequestListener): Promise<string> {
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
