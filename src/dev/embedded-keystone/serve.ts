import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { createEmbeddedKeystone, type EmbeddedKeystoneOptions } from './embedded-keystone.ts'

/** Where to listen, and what to serve. */
interface ServeOptions extends Partial<Omit<EmbeddedKeystoneOptions, 'url'>> {
  /** 0 takes any free port. */
  port: number
  /** Default `127.0.0.1`. */
  hostname?: string
}

/** An embedded Keystone that listens. */
export interface ServedKeystone {
  /** Identity API root, with the port. */
  url: string
  /** As of `EmbeddedKeystone`. */
  jwsPublicKeyPem: string | undefined
  /** Stops listening and drops what is open. */
  close(): Promise<void>
}

/**
 * Serves an embedded Keystone over http.
 * @throws the system's error when it cannot listen: `code` is `EADDRINUSE` for a taken port.
 */
export async function serveEmbeddedKeystone(options: ServeOptions): Promise<ServedKeystone> {
  const { port, hostname = '127.0.0.1', now = Date.now, provider = 'fernet', ...rest } = options
  // The URL, which links need, is known only after listening: requests wait for the Keystone until then.
  const ready = Promise.withResolvers<Awaited<ReturnType<typeof createEmbeddedKeystone>>>()
  const server = createAdaptorServer({ fetch: async (request) => (await ready.promise).fetch(request) })
  const address = await listen(server, port, hostname)
  const url = `http://${hostname}:${address.port}/v3`
  const keystone = await createEmbeddedKeystone({ ...rest, now, provider, url })
  ready.resolve(keystone)
  return {
    url,
    jwsPublicKeyPem: keystone.jwsPublicKeyPem,
    close() {
      const closed = Promise.withResolvers<void>()
      server.close((error) => (error === undefined ? closed.resolve() : closed.reject(error)))
      if ('closeAllConnections' in server) server.closeAllConnections()
      return closed.promise
    },
  }
}

function listen(server: ReturnType<typeof createAdaptorServer>, port: number, hostname: string): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
  server.once('error', reject)
  server.listen(port, hostname, () => {
    const address = server.address()
    if (address === null || typeof address === 'string') reject(new Error('listening on no TCP port'))
    else resolve(address)
  })
  return promise
}
