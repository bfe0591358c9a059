import { describe, expect, it } from 'vitest'
import { settle } from '../../support/clock.ts'
import { errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { createWebhook } from '../../support/webhook.ts'

/** A Keystone that knows several users by their tokens and answers when it is told to. */
function slowKeystone(users: ReadonlyMap<string, string>) {
  const waiting: (() => void)[] = []
  return {
    waiting,
    async answer(request: Request): Promise<Response> {
      await new Promise<void>((done) => waiting.push(done))
      const name = users.get(request.headers.get('X-Auth-Token') ?? '')
      if (name === undefined) return Response.json(errorBody(401, 'x'), { status: 401 })
      if (request.url.endsWith('/groups')) {
        return Response.json(groupsBody([{ id: 'g', name: `friends-of-${name}`, domain_id: 'default' }]))
      }
      return Response.json(tokenBody({ user: { id: `id-of-${name}`, name } }))
    },
    async releaseAll(): Promise<void> {
      // Only so many look-ups go on at once: those that wait come as the others end.
      for (let idle = 0; idle < 5; idle += 1) {
        await settle()
        if (waiting.length > 0) idle = 0
        for (const release of waiting.splice(0)) release()
      }
    },
  }
}

describe('simultaneous reviews', () => {
  it('of one new token cost what one costs', async () => {
    const token = fernetShaped()
    const keystone = slowKeystone(new Map([[token, 'alice']]))
    const webhook = await createWebhook({ keystone: keystone.answer })
    const reviews = Array.from({ length: 50 }, () => webhook.review(token))
    await keystone.releaseAll()
    for (const answer of await Promise.all(reviews)) expect(answer.json.status.user.username).toBe('alice')
    expect(webhook.keystoneRequests).toHaveLength(2)
    const calls = webhook.reviews().map((line) => Number(line.keystoneCalls))
    expect(calls.sort().slice(-2)).toEqual([0, 2])
  })

  it('of one refused token cost one request', async () => {
    const keystone = slowKeystone(new Map())
    const webhook = await createWebhook({ keystone: keystone.answer })
    const token = fernetShaped()
    const reviews = Array.from({ length: 50 }, () => webhook.review(token))
    await keystone.releaseAll()
    for (const answer of await Promise.all(reviews)) expect(answer.json.status).toEqual({ authenticated: false })
    expect(webhook.keystoneRequests).toHaveLength(1)
  })

  it('of many users never cross', async () => {
    const users = new Map(Array.from({ length: 40 }, (_, index) => [fernetShaped(), `user-${index}`]))
    const keystone = slowKeystone(users)
    const webhook = await createWebhook({ keystone: keystone.answer })
    for (const _round of ['first look-up', 'from memory']) {
      const reviews = [...users].flatMap(([token, name]) =>
        [0, 1, 2].map(async () => ({ name, answer: await webhook.review(token) })),
      )
      await keystone.releaseAll()
      for (const { name, answer } of await Promise.all(reviews)) {
        expect(answer.json.status.user).toMatchObject({ username: name, uid: `id-of-${name}` })
        expect(answer.json.status.user.groups).toContain(`friends-of-${name}`)
      }
    }
    expect(webhook.keystoneRequests).toHaveLength(80)
  })

  it('an answer about another user under this token is not believed', async () => {
    const [alices, bobs] = [fernetShaped(), fernetShaped()]
    const webhook = await createWebhook({
      keystone: async () => Response.json(tokenBody(), { headers: { 'X-Subject-Token': bobs } }),
    })
    expect((await webhook.review(alices)).json.status).toEqual({ authenticated: false, error: expect.anything() })
  })
})
