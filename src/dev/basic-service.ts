import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A service behind HTTP Basic authentication, for `npm start`. */
export interface BasicService {
  readonly url: string
  close(): Promise<void>
}

/** Serves on a free port of 127.0.0.1: 200 for one user and password, 401 for everything else (RFC 7617). */
export async function serveBasic(user: string, password: string): Promise<BasicService> {
  const expected = digestOf(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  const server = createServer((request, response) => {
    if (timingSafeEqual(digestOf(request.headers.authorization ?? ''), expected))
      response.writeHead(200).end('welcome\n')
    else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="demo"' }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
