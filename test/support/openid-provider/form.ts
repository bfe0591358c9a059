import type { IncomingMessage } from 'node:http'
import { OAuthError } from './oauth-error.ts'

/** A request to one of the endpoints that take a form. */
export interface FormRequest {
  authorization: string | undefined
  /** A parameter; an empty one counts as absent (RFC 6749, 3.2). */
  get(name: string): string | undefined
}

const MAX_BYTES = 64 * 1024

/** The form in the body. @throws OAuthError invalid_request for another type, or a parameter given twice */
export async function readForm(request: IncomingMessage): Promise<FormRequest> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const body = await readBody(request)
  if (type !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'the body is not application/x-www-form-urlencoded')
  }
  const form = new URLSearchParams(body)
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new OAuthError('invalid_request', `${name} is given more than once`)
  }
  return { authorization: request.headers.authorization, get: (name) => form.get(name) || undefined }
}

/** A parameter that must be there. @throws OAuthError invalid_request */
export function required(request: FormRequest, name: string): string {
  const value = request.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`)
  return value
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > MAX_BYTES) throw new OAuthError('invalid_request', 'the body is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
