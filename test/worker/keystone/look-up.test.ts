import { describe, expect, it } from 'vitest'
import type { KeystoneClient } from '../../../src/keystone/validate.ts'
import { concealToken } from '../../../src/lib/secret.ts'
import { settle } from '../../support/clock.ts'
import { ALICE_ID, errorBody, groupsBody, tokenBody } from '../../support/keystone-answers.ts'
import { connect, html, isGroups, json, lookUp, type Respond, TOKEN } from '../../support/keystone-client.ts'

describe('a connection that Keystone had closed', () => {
  it('is asked once more, and no third time', async () => {
    let failures = 1
    const { client, requests } = connect(async () => {
      if (failures-- > 0) throw new Error('Network connection lost.')
      return json(tokenBody())
    })
    expect(await lookUp(client, false)).toMatchObject({ result: { ok: true } })
    expect(requests).toHaveLength(2)
    failures = 2
    expect(await lookUp(client, false)).toMatchObject({ result: { error: { cause: 'network' } } })
    expect(requests).toHaveLength(4)
  })

  it('is not asked again when time was up', async () => {
    const { client, clock, requests } = connect(async () => {
      clock.advance(5000)
      throw new Error('aborted')
    })
    expect(await lookUp(client, false)).toMatchObject({ result: { error: { cause: 'timeout' } } })
    expect(requests).toHaveLength(1)
  })
})

describe('groups', () => {
  const withGroups =
    (respond: Respond): Respond =>
    (request) =>
      isGroups(request) ? respond(request) : json(tokenBody())

  it("are read with the user's own token", async () => {
    const { client, requests } = connect(
      withGroups(() => json(groupsBody([{ id: 'g1', name: 'devs', domain_id: 'default' }]))),
    )
    const found = await lookUp(client)
    expect(found).toMatchObject({
      calls: 2,
      result: { value: { groups: [{ id: 'g1', name: 'devs', domainId: 'default' }] } },
    })
    expect(requests[1]?.url).toBe(`https://keystone.test/v3/users/${ALICE_ID}/groups`)
    expect(requests[1]?.headers.get('X-Auth-Token')).toBe(TOKEN)
    expect(requests[1]?.headers.get('X-Subject-Token')).toBeNull()
  })

  it('are not read when nobody needs them', async () => {
    const { client, requests } = connect(() => json(tokenBody()))
    expect(await lookUp(client, false)).toMatchObject({ calls: 1, result: { value: { groups: 'not_read' } } })
    expect(requests).toHaveLength(1)
  })

  it('of a hostile user id stay inside /users', async () => {
    const user = { id: '../../auth/tokens?x=/#', name: 'x' }
    const { client, requests } = connect((request) =>
      request.url.includes('/auth/') ? json(tokenBody({ user })) : json(groupsBody([])),
    )
    await lookUp(client)
    expect(requests[1]?.url).toBe('https://keystone.test/v3/users/..%2F..%2Fauth%2Ftokens%3Fx%3D%2F%23/groups')
  })

  const outcomes: [string, Respond, object][] = [
    ['403', () => json(errorBody(403, 'x'), 403), { ok: true, value: { groups: 'refused' } }],
    ['404', () => json(errorBody(404, 'x'), 404), { ok: true, value: { groups: 'refused' } }],
    ['401', () => json(errorBody(401, 'x'), 401), { error: { reason: 'unavailable', cause: 'status', status: 401 } }],
    ['429', () => json(errorBody(429, 'x'), 429), { error: { reason: 'unavailable', cause: 'status', status: 429 } }],
    ['500', () => json(errorBody(500, 'x'), 500), { error: { reason: 'unavailable', cause: 'status', status: 500 } }],
    ['a redirect', () => new Response(null, { status: 301 }), { error: { reason: 'unavailable', cause: 'redirect' } }],
    ['a page', () => html(200), { error: { reason: 'unavailable', cause: 'malformed' } }],
    [
      'groups without names',
      () => json({ groups: [{ id: 'g' }] }),
      { error: { reason: 'unavailable', cause: 'malformed' } },
    ],
    [
      'a network error',
      () => Promise.reject(new TypeError('x')),
      { error: { reason: 'unavailable', cause: 'network' } },
    ],
  ]
  for (const [name, respond, expected] of outcomes) {
    it(`${name}: ${JSON.stringify(expected)}`, async () => {
      const { client } = connect(withGroups(respond))
      expect(await lookUp(client)).toMatchObject({ calls: 2, result: expected })
    })
  }
})

describe("groups of the user whom the token's signature names", () => {
  const dropped = (request: Request): Promise<Response> =>
    new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('aborted'))))
  const lookUpSigned = (client: KeystoneClient, readsGroups = true, id = ALICE_ID) =>
    client.lookUp(concealToken(TOKEN), () => readsGroups, 10_000, id)
  const no = () => json(errorBody(401, 'x'), 401)
  const yes = () => json(tokenBody())
  const groups = () => json(groupsBody([{ id: 'g1', name: 'devs', domain_id: 'default' }]))
  const UNAVAILABLE = { reason: 'unavailable', cause: 'status', status: 500 }
  const federated = () => json(tokenBody({ user: { 'OS-FEDERATION': { groups: [{ id: 'g2' }] } } }))
  const known = [{ id: 'g1', name: 'devs', domainId: 'default' }]

  const outcomes: [string, Respond, Respond, object][] = [
    ['yes and groups', yes, groups, { ok: true, value: { groups: known } }],
    ['yes and 403', yes, () => json(errorBody(403, 'x'), 403), { ok: true, value: { groups: 'refused' } }],
    ['yes, and groups cannot be told', yes, () => html(500), { ok: false, error: UNAVAILABLE }],
    ['no, whatever the groups', no, groups, { ok: false, error: { reason: 'rejected' } }],
    ['no, where groups cannot be told', no, () => html(500), { ok: false, error: { reason: 'rejected' } }],
    ['no, while groups are still out', no, dropped, { ok: false, error: { reason: 'rejected' } }],
    ['cannot be told, while groups are still out', () => html(500), dropped, { ok: false, error: UNAVAILABLE }],
    ['yes with the groups in the token', federated, dropped, { ok: true, value: { groups: [{ id: 'g2' }] } }],
  ]
  it.each(outcomes)('%s', async (_name, validation, ofGroups, result) => {
    const { client, clock, requests } = connect((request) => (isGroups(request) ? ofGroups : validation)(request))
    expect(await lookUpSigned(client)).toMatchObject({ calls: 2, result })
    await settle()
    expect(requests).toHaveLength(2)
    expect(requests[1]?.url).toBe(`https://keystone.test/v3/users/${ALICE_ID}/groups`)
    expect(clock.pendingTimers()).toBe(0)
  })

  it('are dropped where the mapping needs none of this user', async () => {
    const { client, clock } = connect((request) => (isGroups(request) ? dropped(request) : yes()))
    expect(await lookUpSigned(client, false)).toMatchObject({ calls: 2, result: { value: { groups: 'not_read' } } })
    expect(clock.pendingTimers()).toBe(0)
  })

  it.each([true, false])("are nobody else's: an answer about another user says nothing (read: %s)", async (reads) => {
    const { client } = connect((request) => (isGroups(request) ? groups() : yes()))
    expect(await lookUpSigned(client, reads, 'b'.repeat(32))).toMatchObject({
      calls: 2,
      result: { error: { reason: 'unavailable', cause: 'malformed' } },
    })
  })

  it('take no more time than the validation may', async () => {
    const { client, clock } = connect((request) => (isGroups(request) ? dropped(request) : yes()), 5000)
    const looking = lookUpSigned(client)
    await settle()
    clock.advance(5000)
    expect(await looking).toMatchObject({ result: { error: { cause: 'timeout' } } })
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('time', () => {
  const never = (): Promise<Response> => new Promise(() => undefined)

  it('one request may take KEYSTONE_TIMEOUT_MS, heeded or not', async () => {
    const { client, clock, requests } = connect(never, 5000)
    const looking = lookUp(client)
    await settle()
    clock.advance(4999)
    expect(requests[0]?.signal.aborted).toBe(false)
    clock.advance(1)
    expect(await looking).toEqual({
      result: { ok: false, error: { reason: 'unavailable', cause: 'timeout' } },
      calls: 1,
    })
    expect(requests[0]?.signal.aborted).toBe(true)
  })

  it('the reading of the answer is included', async () => {
    const { client, clock } = connect(
      () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
      5000,
    )
    const looking = lookUp(client)
    await settle()
    clock.advance(5000)
    expect(await looking).toMatchObject({ result: { error: { cause: 'timeout' } } })
  })

  it('both requests together end with the budget', async () => {
    const { client, clock } = connect((request) => {
      if (isGroups(request)) return never()
      clock.advance(4000)
      return json(tokenBody())
    }, 5000)
    const looking = client.lookUp(concealToken(TOKEN), () => true, 7000)
    await settle()
    clock.advance(3000)
    expect(await looking).toMatchObject({ calls: 2, result: { error: { cause: 'timeout' } } })
  })
})
