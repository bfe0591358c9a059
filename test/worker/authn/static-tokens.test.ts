import { describe, expect, it } from 'vitest'
import { START_MS } from '../../support/clock.ts'
import { createStage } from '../../support/documents-stage.ts'
import { groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { fernetShaped } from '../../support/tokens.ts'
import { CALLER_TOKEN, createWebhook, OTHER_CALLER_TOKEN, putDocument, sha256 } from '../../support/webhook.ts'

const TOKEN = 'a-static-token-of-ci-that-nobody-guesses'
const forbidden = (): Promise<Response> => Promise.reject(new Error('Keystone must not be asked'))
const entryOf = async (token: string, more: object = {}) => ({
  token: `sha256:${await sha256(token)}`,
  username: 'ci-bot',
  groups: ['ci'],
  ...more,
})

async function prepare(authenticators: unknown, keystone: (request: Request) => Promise<Response> = forbidden) {
  const stage = await createStage()
  await putDocument('mapping', {})
  await putDocument('authenticators', authenticators)
  return { stage, isolate: await stage.isolate({ keystone }) }
}

describe('a static token', () => {
  it('is its user, without Keystone and without a mapping', async () => {
    const { isolate } = await prepare({ static: [await entryOf(TOKEN, { uid: '7' })] })
    await putDocument('mapping', undefined)
    const { json } = await isolate.review(TOKEN)
    expect(json.status).toEqual({
      authenticated: true,
      user: { username: 'ci-bot', uid: '7', groups: ['ci'], extra: { 'keystone-edge-auth/authenticator': ['static'] } },
    })
    expect(isolate.reviews().at(-1)).toMatchObject({
      decision: 'allow',
      source: 'static',
      user: 'ci-bot',
      keystoneCalls: 0,
    })
    expect(isolate.keystoneRequests).toHaveLength(0)
  })

  it('may have the form of any other token, and reaches nothing else', async () => {
    for (const token of [fernetShaped(), 'a0'.repeat(16), 'user:password']) {
      const { isolate } = await prepare({ static: [await entryOf(token)] })
      expect((await isolate.review(token)).json.status).toMatchObject({
        authenticated: true,
        user: { username: 'ci-bot' },
      })
      expect(isolate.keystoneRequests).toHaveLength(0)
    }
  })

  it('is refused from its expires on, to the millisecond', async () => {
    const expires = new Date(START_MS + 10_000).toISOString()
    const { stage, isolate } = await prepare({ static: [await entryOf(TOKEN, { expires })] })
    stage.clock.advance(9_999)
    expect((await isolate.review(TOKEN)).json.status.authenticated).toBe(true)
    stage.clock.advance(1)
    expect((await isolate.review(TOKEN)).json.status).toEqual({ authenticated: false })
    expect(isolate.reviews().at(-1)).toMatchObject({ decision: 'deny', reason: 'expired', source: 'static' })
    const { json } = await isolate.ready(CALLER_TOKEN)
    expect(json.warnings).toEqual([{ path: 'authenticators.static[0].expires', message: expect.any(String) }])
    expect(json.documents.authenticators.faults).toEqual([])
  })

  it('is refused when an edit has removed it, as fast as any edit', async () => {
    const { isolate } = await prepare({ static: [await entryOf(TOKEN)] })
    expect((await isolate.review(TOKEN)).json.status.authenticated).toBe(true)
    await putDocument('authenticators', {})
    await isolate.refresh()
    expect((await isolate.review(TOKEN)).json.status).toEqual({ authenticated: false })
  })

  it('of one cluster is none of another', async () => {
    const { stage } = await prepare({})
    await putDocument('clusters/prod-1/authenticators', { static: [await entryOf(TOKEN)] })
    const isolate = await stage.isolate({ keystone: forbidden })
    expect((await isolate.review(TOKEN)).json.status.authenticated).toBe(true)
    expect((await isolate.review(TOKEN, { caller: OTHER_CALLER_TOKEN })).json.status).toEqual({ authenticated: false })
  })

  it('stays in force when an edit is faulty, and the fault does not repeat a token', async () => {
    const { isolate } = await prepare({ static: [await entryOf(TOKEN)] })
    await isolate.review(TOKEN)
    await isolate.background()
    await putDocument('authenticators', { static: [{ token: TOKEN, username: 'ci-bot' }] })
    await isolate.refresh()
    expect((await isolate.review(TOKEN)).json.status.authenticated).toBe(true)
    const { status, text, json } = await isolate.ready(CALLER_TOKEN)
    expect([status, json.documents.authenticators]).toMatchObject([
      503,
      { source: 'last-good', faults: [{ path: 'static[0].token' }] },
    ])
    expect(text + JSON.stringify(isolate.log)).not.toContain(TOKEN)
  })
})

describe('a user of Keystone', () => {
  const keystoneOf = (name: string) => async (request: Request) =>
    Response.json(
      request.url.endsWith('/groups')
        ? groupsBody([])
        : tokenBody({ user: { id: 'a'.repeat(32), name }, expiresAtMs: START_MS + 3_600_000 }),
    )

  it.each(['ci-bot', 'basic:user1', 'basic:'])('with the name %s is refused', async (name) => {
    const { isolate } = await prepare({ static: [await entryOf(TOKEN)] }, keystoneOf(name))
    const token = fernetShaped()
    for (let times = 0; times < 2; times += 1) {
      expect((await isolate.review(token)).json.status).toEqual({ authenticated: false })
      expect(isolate.reviews().at(-1)).toMatchObject({ reason: 'reserved_name' })
    }
  })

  it('is refused by an edit that gives away the name, though the identity is cached, and accepted by the next one', async () => {
    const { isolate } = await prepare({}, keystoneOf('ci-bot'))
    const token = fernetShaped()
    expect((await isolate.review(token)).json.status.authenticated).toBe(true)
    await putDocument('authenticators', { static: [await entryOf(TOKEN)] })
    await isolate.refresh()
    expect((await isolate.review(token)).json.status).toEqual({ authenticated: false })
    await putDocument('authenticators', {})
    await isolate.refresh()
    expect((await isolate.review(token)).json.status.authenticated).toBe(true)
    expect(isolate.keystoneRequests.length).toBeGreaterThan(0)
  })

  it('is "cannot tell" where the document cannot be read, though another cluster has the identity in memory', async () => {
    const { stage } = await prepare({})
    await putDocument('clusters/prod-2/authenticators', '{ "static": [ ')
    stage.cache.reading = 'fails'
    const isolate = await stage.isolate({ keystone: keystoneOf('ci-bot') })
    const token = fernetShaped()
    const inProd2 = async () => (await isolate.review(token, { caller: OTHER_CALLER_TOKEN })).json.status
    expect(await inProd2()).toMatchObject({ authenticated: false, error: expect.stringContaining('authenticators') })
    expect((await isolate.review(token)).json.status.authenticated).toBe(true)
    expect((await inProd2()).authenticated).toBe(false)
  })

  it('costs no hash while the identity is in memory', async () => {
    const webhook = await createWebhook({
      keystone: keystoneOf('alice'),
      documents: { authenticators: { static: [await entryOf(TOKEN)] } },
    })
    const token = fernetShaped()
    await webhook.review(token)
    const digest = crypto.subtle.digest
    let hashes = 0
    crypto.subtle.digest = (...args) => {
      hashes += 1
      return digest.apply(crypto.subtle, args)
    }
    try {
      expect((await webhook.review(token)).json.status.authenticated).toBe(true)
      expect(hashes).toBe(0)
      await webhook.review(TOKEN)
      expect(hashes).toBe(1)
    } finally {
      crypto.subtle.digest = digest
    }
  })
})
