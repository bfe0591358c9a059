import * as v from 'valibot'
import { tidy } from '../tidy.ts'
import { type Asked, askWebhook, type Webhook } from './ask-webhook.ts'
import { explainConnection } from './connection-fault.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

const Review = v.object({
  apiVersion: v.string(),
  kind: v.literal('TokenReview'),
  status: v.object({
    authenticated: v.optional(v.boolean(), false),
    error: v.optional(v.string()),
    user: v.optional(
      v.object({ username: v.string(), uid: v.optional(v.string(), ''), groups: v.optional(v.array(v.string()), []) }),
    ),
  }),
})
type Version = 'v1' | 'v1beta1'

function review(webhook: Webhook, token: string, version: Version = 'v1'): Promise<Asked> {
  const body = JSON.stringify({
    apiVersion: `authentication.k8s.io/${version}`,
    kind: 'TokenReview',
    spec: { token },
  })
  return askWebhook(webhook, { method: 'POST', path: webhook.reviewPath, asCaller: true, body })
}

/** Two tokens that nobody has: one in no format of Keystone, and one of the shape of fernet, about which it is asked. */
export function makeGarbage(randomBytes: (size: number) => Uint8Array): {
  readonly plain: string
  readonly fernet: string
} {
  const bytes = Buffer.from(randomBytes(57 + 16 * 5))
  // Version byte and 8 bytes of time (fernet spec), so that the shape is Keystone's.
  bytes.set([0x80, 0, 0, 0, 0], 0)
  return { plain: `doctor-${bytes.toString('hex').slice(-24)}`, fernet: bytes.toString('base64url') }
}

/** Garbage must be a definite no, in the version that was asked in. */
export async function checkGarbage(webhook: Webhook, tokens: ReturnType<typeof makeGarbage>): Promise<Finding> {
  const check = 'garbage token'
  for (const [token, version] of [
    [tokens.plain, 'v1beta1'],
    [tokens.fernet, 'v1'],
  ] as const) {
    const read = readReview(check, await review(webhook, token, version), [token, webhook.callerToken])
    if ('finding' in read) return read.finding
    const { apiVersion, status } = read.review
    if (apiVersion !== `authentication.k8s.io/${version}`)
      return failed(check, `asked in ${version}, answered in ${tidy(apiVersion)}`, 'report a bug, or check --url')
    if (status.authenticated)
      return failed(
        check,
        'a random token was let in',
        'take the webhook out of service: --url is no keystone-edge-auth',
      )
    if (status.error !== undefined)
      return failed(check, `cannot tell: ${tidy(status.error, [token])}`, 'look at the reason: docs/operations.md')
  }
  return ok(check, 'a definite no, in v1 and v1beta1')
}

/** Who a real token is. */
export async function checkToken(webhook: Webhook, token: string): Promise<Finding> {
  const check = 'token'
  const secrets = [token, webhook.callerToken]
  const read = readReview(check, await review(webhook, token), secrets)
  if ('finding' in read) return read.finding
  const { authenticated, user, error } = read.review.status
  if (authenticated && user !== undefined) {
    const groups = user.groups.length === 0 ? 'no groups' : `groups ${user.groups.join(', ')}`
    return ok(check, tidy(`${user.username}, uid ${user.uid}, ${groups}`, secrets))
  }
  if (error !== undefined)
    return failed(check, `cannot tell: ${tidy(error, secrets)}`, 'look at the reason: docs/operations.md')
  return failed(
    check,
    'refused: Keystone does not know the token, it has expired, or the mapping refuses the user',
    'issue a new token; keystone-edge-auth tail --denied --explain shows the reason',
  )
}

const ROUNDS = 7
const SLOW_MS = 1000

/** The median time of reviews, from this machine, with what the caches of the Worker hold. */
export async function checkLatency(webhook: Webhook, token: string): Promise<Finding> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = await review(webhook, token)
    if (!asked.ok) return explainConnection('latency', asked.code)
    times.push(asked.answer.elapsedMs)
  }
  const median = times.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0
  const message = `${Math.max(1, Math.round(median))} ms, the median of ${ROUNDS} reviews from this machine`
  return median > SLOW_MS
    ? warning('latency', message, 'check the network between this machine and the edge')
    : ok('latency', message)
}

function readReview(
  check: string,
  asked: Asked,
  secrets: readonly string[],
): { readonly review: v.InferOutput<typeof Review> } | { readonly finding: Finding } {
  if (!asked.ok) return { finding: explainConnection(check, asked.code) }
  const parsed = v.safeParse(Review, asked.answer.body)
  if (asked.answer.status === 200 && parsed.success) return { review: parsed.output }
  const { body, status } = asked.answer
  const said = v.safeParse(v.object({ message: v.string() }), body)
  const message = said.success ? `: ${tidy(said.output.message, secrets)}` : ', which is no TokenReview'
  return { finding: failed(check, `the answer is ${status}${message}`, 'look at the log of the Worker') }
}
