import type { Answer } from '../harness/http-answer.ts'
import type { HostileRequest } from './requests.ts'

/** The statuses that the contract knows, with their reasons in a Status object. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  503: 'ServiceUnavailable',
}

// biome-ignore lint/suspicious/noExplicitAny: what came back is checked step by step
type Json = any

/** What is wrong with the form of an answer: its status, its headers, its body. */
export function findBadShape(
  { method, path }: Pick<HostileRequest, 'method' | 'path'>,
  answer: Answer,
): string | undefined {
  const { status, headers, text } = answer
  if (status !== 200 && REASONS[status] === undefined) return `status ${status}`
  if (headers.has('retry-after')) return 'Retry-After'
  if (headers.has('location') || headers.has('x-injected')) return 'a header that no answer has'
  if (headers.get('content-type') !== 'application/json') return `Content-Type: ${headers.get('content-type')}`
  if (method === 'HEAD') return text === '' ? undefined : 'a body for HEAD'
  const body = parse(text)
  if (body === undefined) return 'a body that is not JSON'
  if (path.startsWith('/readyz') && (status === 200 || status === 503)) return findBadReadiness(body)
  if (status === 503) return 'a 503 though the policy can be read'
  if (status !== 200) return findBadStatus(status, body, headers)
  if (path.startsWith('/healthz')) return keysOf(body) === 'status,version' ? undefined : 'another /healthz'
  return findBadReview(body)
}

function findBadReview(body: Json): string | undefined {
  const { kind, status } = body
  if (keysOf(body) !== 'apiVersion,kind,status') return `a review with ${keysOf(body)}`
  if (kind === 'SubjectAccessReview') {
    const keys = status.denied === true ? 'allowed,denied,reason' : 'allowed,reason'
    const sound = keysOf(status) === keys && typeof status.reason === 'string' && !(status.denied && status.allowed)
    return sound && typeof status.allowed === 'boolean' ? undefined : 'another SubjectAccessReview'
  }
  if (kind !== 'TokenReview') return 'a review of no known kind'
  if (status.authenticated === false) {
    if (keysOf(status) === 'authenticated') return undefined
    return keysOf(status) === 'authenticated,error' && isText(status.error) ? undefined : 'another no'
  }
  const { user } = status
  if (status.authenticated !== true || keysOf(status) !== 'authenticated,user') return 'another yes'
  const lists: unknown[] = [user?.groups, ...Object.values(user?.extra ?? {})]
  const sound = keysOf(user) === 'extra,groups,uid,username' && isText(user.username) && isText(user.uid)
  return sound && lists.every(isTexts) ? undefined : 'a malformed user'
}

function findBadStatus(status: number, body: Json, headers: Answer['headers']): string | undefined {
  const { kind, apiVersion, code, reason, message } = body
  const sound = kind === 'Status' && apiVersion === 'v1' && body.status === 'Failure' && code === status
  if (!sound || reason !== REASONS[status] || !isText(message)) return `a malformed Status for ${status}`
  if (status === 405 && !headers.has('allow')) return '405 without Allow'
  return status === 401 && !headers.has('www-authenticate') ? '401 without WWW-Authenticate' : undefined
}

function findBadReadiness(body: Json): string | undefined {
  return keysOf(body) === 'breaker,documents,keystone,settings,warnings' ? undefined : 'another /readyz'
}

function keysOf(value: Json): string {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort().join(',') : ''
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
