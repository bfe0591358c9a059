import type { Contender, Post } from './scenario.ts'
import { send } from './token-review.ts'
import type { Webhook } from './webhook.ts'

const IDENTITY = 'alpha.kubernetes.io/identity'

/** A SubjectAccessReview of a Keystone user with one role, who wants to read pods in one namespace. */
export function accessReview(role: string, namespace: string): string {
  return JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1beta1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'alice',
      group: ['system:authenticated'],
      extra: {
        [`${IDENTITY}/project/id`]: ['423d41d3a02f4b77b4a9bbfbc3a1b3c6'],
        [`${IDENTITY}/project/name`]: ['demo'],
        [`${IDENTITY}/roles`]: [role],
      },
      resourceAttributes: { verb: 'get', resource: 'pods', version: 'v1', namespace },
    },
  })
}

/** A webhook as one side of a comparison: it must go on allowing the request. */
export function toAccessContender(name: string, webhook: Webhook, post: Post): Contender {
  const url = `${webhook.url}/webhook`
  return { name, pid: webhook.pid, url, check: () => checkAllowed(url, post) }
}

async function checkAllowed(url: string, post: Post): Promise<void> {
  const { text } = await send(url, post)
  const review: { status?: { allowed?: unknown } } = JSON.parse(text)
  if (review.status?.allowed !== true) throw new Error(`invalid: the request was not allowed: ${text}`)
}
