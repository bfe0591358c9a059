import { START_MS, settle } from '../../support/clock.ts'
import { errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { createWebhook, type Webhook } from '../../support/webhook.ts'

type Keystone = (request: Request) => Promise<Response>

export const TTL_MS = 120_000

export const refusing: Keystone = async () => Response.json(errorBody(404, 'x'), { status: 404 })
export const hanging: Keystone = () => new Promise(() => undefined)

/** Each token is a user of its own, unless `users` names whose it is. */
export function healthyOf(users: ReadonlyMap<string, string> = new Map()): Keystone {
  return async (request) => {
    const token = request.headers.get('X-Auth-Token') ?? ''
    const name = users.get(token) ?? `user-${token.slice(-6)}`
    return Response.json(
      request.url.endsWith('/groups')
        ? groupsBody([])
        : tokenBody({ user: { id: `id-of-${name}`, name }, expiresAtMs: START_MS + 36_000_000 }),
    )
  }
}

/** A Keystone that tests replace, and a webhook in front of it. */
export async function start(options: Partial<Parameters<typeof createWebhook>[0]> = {}) {
  const keystone = { respond: healthyOf() }
  const webhook = await createWebhook({ ...options, keystone: (request) => keystone.respond(request) })
  return { webhook, keystone }
}

/** A review's answer once it is there, and time moved on in between. */
export async function answerAfter(webhook: Webhook, review: ReturnType<Webhook['review']>, ms: number) {
  await settle()
  webhook.clock.advance(ms)
  return (await review).json.status
}
