import { describe, expect, it } from 'vitest'
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
    const looking = client.lookUp(true, 7000)
    await settle()
    clock.advance(3000)
    expect(await looking).toMatchObject({ calls: 2, result: { error: { cause: 'timeout' } } })
  })
})
