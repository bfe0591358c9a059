import { createKeystoneApi } from '../../src/keystone/api.ts'
import { createLookUpToken, reachKeystone } from '../../src/keystone/validate.ts'
import { concealToken } from '../../src/lib/secret.ts'
import { createClock } from './clock.ts'
import { fernetShaped } from './tokens.ts'

/** What Keystone answers to a request. */
export type Respond = (request: Request) => Response | Promise<Response>

/** A client of a Keystone that answers as told, with the requests that it was sent. */
export function connect(respond: Respond, timeoutMs = 5000) {
  const clock = createClock()
  const requests: Request[] = []
  const inits: RequestInit[] = []
  const api = createKeystoneApi({
    url: 'https://keystone.test/v3',
    timeoutMs,
    userAgent: 'keystone-edge-auth/0.0.0',
    clock,
    async fetch(url, init) {
      const request = new Request(url, init)
      requests.push(request)
      inits.push(init)
      return respond(request)
    },
  })
  const lookUpToken = createLookUpToken(api, clock)
  const client = {
    lookUp: (readsGroups = true, withinMs = 10_000) =>
      lookUpToken(concealToken(TOKEN), () => readsGroups, clock.now() + withinMs),
    isReachable: async () => (await reachKeystone(api, clock.now() + timeoutMs)).reachable,
  }
  return { client, clock, requests, inits }
}

type TestClient = ReturnType<typeof connect>['client']

export const TOKEN = fernetShaped()
export const lookUp = (client: TestClient, readsGroups = true) => client.lookUp(readsGroups)
export const isGroups = (request: Request): boolean => request.url.includes('/groups')
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
export const html = (status: number) =>
  new Response('<html><title>404 Not Found</title></html>', { status, headers: { 'Content-Type': 'text/html' } })
