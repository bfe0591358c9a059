import { JSON_HEADERS } from './problem.ts'

/** `GET /healthz`: this Worker answers. It says nothing about Keystone or settings, and asks nobody. */
export function createHealth(version: string) {
  const body = JSON.stringify({ status: 'ok', version })
  return (): Response => new Response(body, { headers: JSON_HEADERS })
}
