import * as v from 'valibot'
import { call, type Reply } from '../../../src/dev/embedded-keystone/api-call.ts'
import type { Keystone } from './contract-keystone.ts'

const TokenBody = v.object({ token: v.record(v.string(), v.unknown()) })
const KeystoneError = v.object({ error: v.object({ code: v.number(), message: v.string(), title: v.string() }) })

/** How a token is asked about. */
export interface Question {
  /** Who asks: default the token itself. */
  asker?: string
  /** Default GET. */
  method?: 'GET' | 'HEAD'
  headers?: Record<string, string>
  /** Default true. */
  nocatalog?: boolean
}

/**
 * The answer to a validation.
 *
 * First comes a request that has nothing to do with it: a worker of the real Keystone keeps what the request before it
 * looked up until it has read the token of the next one, so that a token just used would be taken once more for what it was
 * then (observed: 404 instead of 401, and the reverse). With one worker one request sweeps that away.
 */
export async function validate({ connection }: Keystone, token: string, question: Question = {}): Promise<Reply> {
  await call(connection, { method: 'GET', path: '' })
  const { asker = token, method = 'GET', headers, nocatalog = true } = question
  const path = nocatalog ? '/auth/tokens?nocatalog' : '/auth/tokens'
  return call(connection, { method, path, token: asker, headers: { ...headers, 'X-Subject-Token': token } })
}

/** The `token` of a 200 or 201. @throws when the reply is no such thing */
export function tokenOf(reply: Reply): Record<string, unknown> {
  if (reply.status !== 200 && reply.status !== 201) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`)
  return v.parse(TokenBody, reply.body).token
}

/** The token's facts now, as it validates itself. */
export async function factsOf(keystone: Keystone, token: string): Promise<Record<string, unknown>> {
  return tokenOf(await validate(keystone, token))
}

/** The error that Keystone itself answered. @throws when the reply is anything else */
export function errorOf(reply: Reply): { code: number; message: string; title: string } {
  return v.parse(KeystoneError, reply.body).error
}
