import { describe, expect, it } from 'vitest'
import { START_MS, settle } from '../../support/clock.ts'
import { errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook } from '../../support/webhook.ts'

const HOUR_MS = 3_600_000

function healthy(roles = ['member']) {
  return async (request: Request): Promise<Response> =>
    Response.json(
      request.url.endsWith('/groups')
        ? groupsBody([])
        : tokenBody({ expiresAtMs: START_MS + 2 * HOUR_MS, roles: roles.map((name) => ({ id: name, name })) }),
    )
}
const refusing = async (): Promise<Response> => Response.json(errorBody(404, 'x'), { status: 404 })

const ROLES = 'alpha.kubernetes.io/identity/roles'

describe('an identity in use', () => {
  it('is asked about again from two thirds of its time on, behind the answer and once', async () => {
    let keystone = healthy()
    const webhook = await createWebhook({ keystone: (request) => keystone(request) })
    const token = fernetShaped()
    await webhook.review(token)
    keystone = healthy(['reader'])
    webhook.clock.advance(79_999)
    await webhook.review(token)
    expect(webhook.keystoneRequests).toHaveLength(2)
    webhook.clock.advance(1)
    const answers = await Promise.all([webhook.review(token), webhook.review(token), webhook.review(token)])
    expect(answers.map(({ json }) => json.status.user.extra[ROLES])).toEqual([['member'], ['member'], ['member']])
    expect(webhook.reviews().at(-1)).toMatchObject({ source: 'memory', keystoneCalls: 0 })
    await webhook.background()
    expect(webhook.keystoneRequests).toHaveLength(4)
    expect((await webhook.review(token)).json.status.user.extra[ROLES]).toEqual(['reader'])
  })

  it('never makes a steady user wait, at 1.5 look-ups a TTL', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    for (let seconds = 0; seconds < 3600; seconds += 40) {
      webhook.clock.advance(40_000)
      await webhook.review(token)
      await webhook.background()
    }
    const sources = webhook.reviews().map(({ source }) => source)
    expect(new Set(sources.slice(1))).toEqual(new Set(['memory']))
    const validations = webhook.keystoneRequests.filter(({ url }) => url.includes('/auth/tokens'))
    expect(validations.length).toBeLessThanOrEqual(1 + 1.5 * (3600 / 120))
  })

  it('that Keystone refuses meanwhile is refused from the next review on', async () => {
    let keystone: (request: Request) => Promise<Response> = healthy()
    const webhook = await createWebhook({ keystone: (request) => keystone(request) })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    keystone = refusing
    webhook.clock.advance(80_000)
    expect((await webhook.review(token)).json.status.authenticated).toBe(true)
    await webhook.background()
    expect((await webhook.review(token)).json.status).toEqual({ authenticated: false })
  })

  it('is served until its time is up when Keystone gives no verdict, and asked about at most every 5 s', async () => {
    let keystone: (request: Request) => Promise<Response> = healthy()
    const webhook = await createWebhook({ keystone: (request) => keystone(request) })
    const token = fernetShaped()
    await webhook.review(token)
    keystone = async () => new Response('busy', { status: 429 })
    for (let seconds = 80; seconds < 120; seconds += 1) {
      webhook.clock.advance(seconds === 80 ? 80_000 : 1_000)
      expect((await webhook.review(token)).json.status.authenticated).toBe(true)
      await webhook.background()
    }
    expect(webhook.keystoneRequests).toHaveLength(2 + 40 / 5)
    webhook.clock.advance(1_000)
    expect((await webhook.review(token)).json.status).toMatchObject({ authenticated: false, error: expect.anything() })
  })

  it('takes over what another isolate has learnt instead of asking', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    const token = fernetShaped()
    await webhook.review(token)
    await webhook.background()
    const other = await createWebhook({ keystone: healthy(['reader']), clock: webhook.clock })
    webhook.clock.advance(85_000)
    for (const _source of ['kv', 'memory, and refreshed']) await other.review(token)
    await other.background()
    const asked = webhook.keystoneRequests.length
    await webhook.review(token)
    await webhook.background()
    expect(webhook.keystoneRequests).toHaveLength(asked)
    expect((await webhook.review(token)).json.status.user.extra[ROLES]).toEqual(['reader'])
  })

  it('that nobody asks for any more costs nothing', async () => {
    const webhook = await createWebhook({ keystone: healthy() })
    await webhook.review(fernetShaped())
    webhook.clock.advance(HOUR_MS)
    await settle()
    expect(webhook.keystoneRequests).toHaveLength(2)
  })
})
