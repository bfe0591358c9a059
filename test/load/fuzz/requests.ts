import type { RawRequest } from '../harness/raw-connection.ts'
import { reviewRequest } from '../harness/reviews.ts'
import { createRandom, type Random } from '../harness/seeded-random.ts'
import { anyAccessReview } from './access-reviews.ts'
import { deepJson, hugeJson } from './heavy.ts'
import { hostileText } from './hostile-text.ts'
import { anyToken } from './hostile-tokens.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { writeMutated } from './mutate-json.ts'
import type { World } from './world.ts'

/** A request, and what is hostile about it. */
export interface HostileRequest extends RawRequest {
  readonly kind: Kind
}

type Kind = 'token' | 'structure' | 'bytes' | 'access' | 'headers' | 'path' | 'method' | 'get' | 'heavy' | 'protocol'
type Make = (random: Random, world: World) => RawRequest

/** The kinds and their shares of all requests. */
const KINDS: readonly (readonly [Kind, number, Make])[] = [
  ['token', 0.3, (random, world) => post(world, reviewText(random, anyToken(random, world)), random)],
  ['structure', 0.2, (random, world) => post(world, mutatedReview(random, world), random)],
  ['bytes', 0.15, (random, world) => post(world, mutateBytes(anyText(random, world), random), random)],
  ['access', 0.15, (random, world) => post(world, anyAccessReview(random), random)],
  ['headers', 0.08, withHostileHeaders],
  ['path', 0.07, (random, world) => ({ ...valid(random, world), ...hostilePath(random) })],
  ['method', 0.025, withHostileMethod],
  ['get', 0.012, (random, world) => ({ ...get(world), path: random.pick(['/healthz', '/readyz', '/healthz/']) })],
  ['heavy', 0.003, (random, world) => post(world, random.pick([deepJson, hugeJson])(random), random)],
  ['protocol', 0.01, withBrokenProtocol],
]

/** The request of that number: the same for the same seed, but for the tokens, which Keystone issues anew. */
export function makeRequest(seed: number, index: number, world: World): HostileRequest {
  const random = createRandom(seed, index)
  let left = random.next()
  for (const [kind, share, make] of KINDS) {
    left -= share
    if (left < 0) return { kind, ...make(random, world) }
  }
  return { kind: 'token', ...valid(random, world) }
}

function post(world: World, body: string | Buffer, random: Random): RawRequest {
  return {
    ...reviewRequest(world.webhook.authorization, body),
    path: random.pick(['/webhook', '/webhook', '/clusters/bench/webhook', '/webhook?timeout=10s', '/webhook/']),
    chunked: random.chance(0.05),
  }
}

function get(world: World): RawRequest {
  const headers = [['Authorization', `Bearer ${world.credential}`]] as const
  return { method: 'GET', path: '/healthz', headers, body: Buffer.alloc(0), chunked: false, broken: false }
}

function valid(random: Random, world: World): RawRequest {
  return post(world, reviewText(random, random.pick(world.tokens)), random)
}

function review(random: Random, token: string): Record<string, unknown> {
  return {
    kind: 'TokenReview',
    apiVersion: `authentication.k8s.io/${random.pick(['v1', 'v1beta1'])}`,
    metadata: {},
    spec: { token, audiences: ['https://kubernetes.default.svc.cluster.local'] },
    status: { user: {} },
  }
}

function reviewText(random: Random, token: string): string {
  return JSON.stringify(review(random, token))
}

function mutatedReview(random: Random, world: World): string {
  const rate = random.pick([0.05, 0.15, 0.4])
  return writeMutated(review(random, anyToken(random, world)), { random, rate })
}

function anyText(random: Random, world: World): Buffer {
  return Buffer.from(random.chance(0.8) ? reviewText(random, random.pick(world.tokens)) : anyAccessReview(random))
}

function withHostileHeaders(random: Random, world: World): RawRequest {
  const request = valid(random, world)
  const rest = request.headers.filter(([name]) => name !== (random.chance(0.7) ? 'Authorization' : 'Content-Type'))
  const isAuthorization = rest.every(([name]) => name !== 'Authorization')
  const make = isAuthorization ? () => hostileAuthorization(random, world) : () => hostileType(random)
  const name = isAuthorization ? 'Authorization' : 'Content-Type'
  const added = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, () => [name, inHeader(make())] as const)
  const extra = random.chance(0.2) ? [[random.pick(EXTRA_HEADERS), inHeader(hostileText(random))] as const] : []
  const broken = extra.some(([other]) => other === 'Host')
  return { ...request, headers: [...rest, ...added, ...extra], broken }
}

const EXTRA_HEADERS: readonly [string, ...string[]] = [
  'Accept',
  'Cookie',
  'CF-Ray',
  'X-Forwarded-For',
  'X-Original-URL',
  'X-HTTP-Method-Override',
  'Content-Encoding',
  'Host',
  'Origin',
]

function hostileAuthorization(random: Random, { credential, tokens }: World): string {
  const at = random.below(credential.length)
  return random.pick([
    credential,
    'Bearer',
    'Bearer ',
    `Bearer${credential}`,
    `bearer ${credential}`,
    `BEARER   ${credential}  `,
    `Bearer\t${credential}`,
    `Bearer ${credential} x`,
    `Bearer ${credential},${credential}`,
    `Bearer ${credential.toUpperCase()}`,
    `Bearer ${credential.slice(0, at)}`,
    `Bearer ${credential.slice(0, at)}${credential.slice(at + 1)}`,
    `Bearer ${credential}${credential}`,
    `Bearer "${credential}"`,
    `Bearer %20${credential}`,
    `Basic ${Buffer.from(`bench:${credential}`).toString('base64')}`,
    `Token ${credential}`,
    `Bearer ${random.pick(tokens)}`,
    `Bearer sha256:${'0'.repeat(64)}`,
    `Bearer ${'a'.repeat(random.pick([7000, 100, 1]))}`,
    hostileText(random),
    `Bearer ${hostileText(random)}`,
  ])
}

function hostileType(random: Random): string {
  return random.pick([
    'application/json; charset=utf-8',
    'application/json;charset=utf-16',
    'APPLICATION/JSON',
    'application/jsonx',
    'application/json, text/html',
    'text/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/*',
    '',
    hostileText(random),
  ])
}

/** What a header can hold at all; everything else is for `withBrokenProtocol`. */
function inHeader(text: string): string {
  return Buffer.from(text.replaceAll(/[\0\r\n]/g, ''), 'utf8').toString('latin1')
}

function hostilePath(random: Random): Pick<HostileRequest, 'path' | 'broken'> {
  const known: readonly [string, ...string[]] = [
    '/webhook/..',
    '/./webhook',
    '//webhook',
    '/webhook//',
    '/WEBHOOK',
    '/%77ebhook',
    '/webhook%2f',
    '/webhook%00',
    '/webhook?timeout=10s&x=/healthz',
    '/webhook?/readyz',
    '/clusters//webhook',
    '/clusters/bench/webhook/',
    '/clusters/other/webhook',
    '/clusters/Bench/webhook',
    '/clusters/b%65nch/webhook',
    '/clusters/../webhook',
    '/clusters/%2e%2e/webhook',
    '/clusters/bench%2Fwebhook',
    '/clusters/bench/../other/webhook',
    '/clusters/__proto__/webhook',
    '/clusters/bench/x/webhook',
    '/',
    '/healthz',
    '/readyz',
  ]
  if (random.chance(0.6)) return { path: random.pick(known), broken: false }
  const path = `${random.pick(['/', '/clusters/', '/webhook/', '/clusters/bench/webhook?'])}${hostileText(random)}`
  // Some of these are no URI at all.
  return { path: Buffer.from(path.replaceAll(/[\s\0-\x20\x7f#]/g, ''), 'utf8').toString('latin1'), broken: true }
}

function withHostileMethod(random: Random, world: World): RawRequest {
  const method = random.pick(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
  const bodiless = method === 'GET' || method === 'HEAD'
  const path = random.pick(['/webhook', '/healthz', '/readyz', '/clusters/bench/webhook', '/'])
  const request = valid(random, world)
  return { ...request, method, path, ...(bodiless && { body: Buffer.alloc(0), chunked: false }) }
}

function withBrokenProtocol(random: Random, world: World): RawRequest {
  const request = { ...valid(random, world), chunked: false, broken: true }
  switch (random.below(6)) {
    case 0:
      return { ...request, method: random.pick(['get', 'BREW', 'POST /x', 'P\u00f6ST', '']) }
    case 1:
      return { ...request, path: random.pick(['', 'webhook', '/web hook', 'http://[', '/\0', '/webhook#x']) }
    case 2:
      return { ...request, headers: [...request.headers, ['X-Fuzz', 'a\0b']] }
    case 3:
      return { ...request, headers: [...request.headers, ['Bad Name', 'x']] }
    case 4:
      return { ...request, headers: [...request.headers, ['Content-Length', hostileLength(random)]] }
    default:
      return { ...request, headers: [...request.headers, ['Transfer-Encoding', random.pick(['gzip', 'chunked', 'x'])]] }
  }
}

function hostileLength(random: Random): string {
  return random.pick([
    '-1',
    '1e3',
    '0x10',
    '99999999999999999999',
    '18446744073709551616',
    '',
    'NaN',
    '5, 6',
    '4194305',
  ])
}
