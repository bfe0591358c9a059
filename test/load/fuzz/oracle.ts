import type { AccessAttributes } from '../../../src/k8s/subject-access-review.ts'
import { judge } from '../../worker/policy/reference.ts'
import type { Answer } from '../harness/http-answer.ts'
import { TOKEN_TEXT } from '../harness/token-shapes.ts'
import type { HostileRequest } from './requests.ts'
import { findBadShape } from './shape.ts'
import { POLICY, type World } from './world.ts'

/** What is wrong with an answer, in words that hold no secret; `undefined` when it is as promised. */
type Fault = string | undefined

// biome-ignore lint/suspicious/noExplicitAny: bodies are hostile, and read with a guard at each step
type Json = any

/**
 * Judges one answer by what the judge knows itself: which tokens Keystone issued, the policy's reference, and the
 * promises of the HTTP contract. Asks Keystone when the webhook accepts a text that is no issued token letter by
 * letter, as base64 has more than one way to write the same bytes.
 */
export async function findFault(request: HostileRequest, answer: Answer, world: World): Promise<Fault> {
  // What breaks HTTP is answered below the Worker, in words of workerd's.
  if (request.broken && !isJson(answer)) {
    return answer.status === 400 || answer.status === 501 ? undefined : `broken HTTP: ${answer.status}`
  }
  const wrong = findBadShape(request, answer) ?? findSecret(request, answer.text, world)
  if (wrong !== undefined || answer.status !== 200 || request.method !== 'POST') return wrong
  if (!isCaller(request, world)) return 'a review without a valid credential'
  const asked = parse(new TextDecoder().decode(request.body))
  const { apiVersion, kind, status } = parse(answer.text)
  if (apiVersion !== asked?.apiVersion || kind !== asked.kind) return 'an answer of another kind than the question'
  return kind === 'TokenReview' ? findWrongUser(asked.spec?.token, status, world) : findWrongVerdict(asked, status)
}

/** Whether the review said yes. */
export function isYes(answer: Answer): 'authenticated' | 'allowed' | undefined {
  if (answer.text.startsWith('{"apiVersion":"authen') && answer.text.includes('"authenticated":true'))
    return 'authenticated'
  return answer.text.includes('"status":{"allowed":true') ? 'allowed' : undefined
}

async function findWrongUser(token: Json, status: Json, world: World): Promise<Fault> {
  const issued = world.users.get(token)
  if (status.authenticated !== true) return undefined
  const { username, uid, groups } = status.user
  if (world.deadTokens.includes(token)) return 'a revoked token, or one without a project, was accepted'
  const expected = issued ?? [...world.users.values()].find((user) => user.uid === uid)
  if (expected === undefined) return 'a user whom nobody logged in'
  const same = username === expected.username && uid === expected.uid && `${groups}` === `${expected.groups}`
  if (!same) return "another user than the token's"
  if (issued === undefined && !(await world.keystoneSays(token, uid))) return 'a token that Keystone refuses'
  return undefined
}

function findWrongVerdict({ apiVersion, spec }: Json, status: Json): Fault {
  const verdict = judge(POLICY, toAttributes(spec, apiVersion), 'default')
  const said = status.allowed ? 'allow' : status.denied === true ? 'deny' : 'no_opinion'
  return said === verdict ? undefined : `the policy says ${verdict}, the webhook ${said}`
}

function toAttributes(spec: Json, apiVersion: string): AccessAttributes {
  const { resourceAttributes, nonResourceAttributes, user, uid } = spec
  const groups = apiVersion.endsWith('/v1') ? spec.groups : spec.group
  const extra = Object.fromEntries(Object.entries(spec.extra ?? {}).map(([key, value]) => [key, value ?? []]))
  const text = (key: string): string => (resourceAttributes ?? nonResourceAttributes)[key] ?? ''
  const request = resourceAttributes
    ? ({
        kind: 'resource',
        verb: text('verb'),
        group: text('group'),
        resource: text('resource'),
        subresource: text('subresource'),
        namespace: text('namespace'),
        name: text('name'),
      } as const)
    : ({ kind: 'nonresource', verb: text('verb'), path: text('path') } as const)
  return { user: user ?? '', uid: uid ?? '', groups: groups ?? [], extra: extra as AccessAttributes['extra'], request }
}

/** The contract's rule once more: one header that says something, the scheme in any case, spaces, the credential. */
function isCaller({ headers }: HostileRequest, { credential }: World): boolean {
  // An empty header beside another one is dropped below the Worker.
  const named = headers.filter(([name]) => name.toLowerCase() === 'authorization')
  const sent = named.map(([, value]) => value.trim()).filter((value) => value !== '')
  const [scheme, ...rest] = (sent[0] ?? '').split(' ')
  return sent.length === 1 && scheme?.toLowerCase() === 'bearer' && rest.join('').trim() === credential
}

function findSecret(request: HostileRequest, text: string, world: World): Fault {
  if (text.includes(world.credential)) return "the caller's credential in an answer"
  if (TOKEN_TEXT.test(text)) return 'a token in an answer'
  const sent = request.kind === 'token' ? parse(request.body.toString())?.spec?.token : undefined
  return typeof sent === 'string' && sent.length >= 16 && text.includes(sent) ? 'the token in an answer' : undefined
}

function isJson({ headers }: Answer): boolean {
  return headers.get('content-type') === 'application/json'
}

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
