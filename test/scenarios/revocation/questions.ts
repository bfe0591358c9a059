import { CALLER_TOKEN, type Webhook } from '../../support/webhook.ts'
import { type Column, secondsOf } from './documented.ts'
import type { Prepared } from './keystone-acts.ts'
import type { ApiServerCaches, Ask } from './kube-apiserver.ts'

/** The caches of a kube-apiserver that is set as a column says. */
export function cachesOf(column: Column): ApiServerCaches {
  return {
    tokenSeconds: secondsOf('token-cache', column),
    frontSeconds: secondsOf('token-front', column),
    accessSeconds: secondsOf('access-cache', column),
  }
}

/** Whether the token's user still has what is being taken away. Waits for what the webhook does behind its answer. */
export function askToken(webhook: Webhook, { token, has }: Pick<Prepared, 'token' | 'has'>): Ask {
  return async () => {
    const { status, json } = await webhook.review(token)
    await webhook.background()
    if (status !== 200) throw new Error(`the webhook answered ${status}`)
    const { authenticated, error, user } = json.status
    if (error !== undefined) return 'cannot tell'
    return authenticated && (has === undefined || has(user)) ? 'yes' : 'no'
  }
}

/** Whether the webhook talks to this caller at all. */
export function askAsCaller(webhook: Webhook, token: string): Ask {
  return async () => {
    const { status } = await webhook.review(token)
    await webhook.background()
    return status === 401 ? 'no' : 'yes'
  }
}

/** Whether the policy lets a user with the role `member` read pods. */
export function askAccess(webhook: Webhook): Ask {
  const spec = {
    user: 'alice',
    extra: { 'alpha.kubernetes.io/identity/roles': ['member'] },
    resourceAttributes: { namespace: 'default', verb: 'get', version: 'v1', resource: 'pods' },
  }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  return async () => {
    const { status, json } = await webhook.send('/webhook', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${CALLER_TOKEN}` },
      body: JSON.stringify(review),
    })
    await webhook.background()
    if (status !== 200) return 'cannot tell'
    return json.status.allowed ? 'yes' : 'no'
  }
}
