import { describe, expect, it } from 'vitest'
import { createClock } from '../../support/clock.ts'
import { DEMO_ID, errorBody, tokenBody } from '../../support/keystone-answers.ts'
import { connect, html, isGroups, json, lookUp, type Respond, TOKEN } from '../../support/keystone-client.ts'
import { fernetShaped } from '../../support/tokens.ts'

describe('validating a token', () => {
  it('asks Keystone about the token with the token itself, without the catalog, and names the program', async () => {
    const { client, requests, inits } = connect(() => json(tokenBody()))
    await lookUp(client, false)
    expect(requests).toHaveLength(1)
    expect(requests[0]?.url).toBe('https://keystone.test/v3/auth/tokens?nocatalog')
    expect(requests[0]?.headers.get('X-Auth-Token')).toBe(TOKEN)
    expect(requests[0]?.headers.get('X-Subject-Token')).toBe(TOKEN)
    expect(requests[0]?.headers.get('User-Agent')).toBe('keystone-edge-auth/0.0.0')
    expect(requests[0]?.headers.get('OpenStack-Identity-Access-Rules')).toBeNull()
    expect(inits[0]).toMatchObject({ redirect: 'manual', cache: 'no-store' })
  })

  const verdicts: [string, Respond, object][] = [
    [
      "401 in Keystone's own words",
      () => json(errorBody(401, 'The request you have made requires authentication.'), 401),
      { reason: 'rejected' },
    ],
    [
      "404 in Keystone's own words",
      () => json(errorBody(404, 'Could not recognize Fernet token'), 404),
      { reason: 'rejected' },
    ],
    ['404 as a page of a wrong base path', () => html(404), { reason: 'unavailable', cause: 'malformed', status: 404 }],
    ['401 of a proxy', () => html(401), { reason: 'unavailable', cause: 'malformed', status: 401 }],
    [
      '401 with another code inside',
      () => json(errorBody(404, 'x'), 401),
      { reason: 'unavailable', cause: 'malformed', status: 401 },
    ],
    ['404 with JSON that is null', () => json(null, 404), { reason: 'unavailable', cause: 'malformed', status: 404 }],
    [
      '300 with the versions',
      () => json({ versions: {} }, 300),
      { reason: 'unavailable', cause: 'redirect', status: 300 },
    ],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { Location: 'https://evil.test/' } }),
      { reason: 'unavailable', cause: 'redirect', status: 302 },
    ],
    ['201', () => json(tokenBody(), 201), { reason: 'unavailable', cause: 'status', status: 201 }],
    ['204', () => new Response(null, { status: 204 }), { reason: 'unavailable', cause: 'status', status: 204 }],
    ...[400, 403, 405, 408, 409, 410, 413, 418, 429, 500, 502, 503, 504].map((status): [string, Respond, object] => [
      `${status}`,
      () => json(errorBody(status, 'x'), status),
      { reason: 'unavailable', cause: 'status', status },
    ]),
    ['200 that is a page', () => html(200), { reason: 'unavailable', cause: 'malformed', status: 200 }],
    [
      '200 with half a body',
      () => new Response(JSON.stringify(tokenBody()).slice(0, 200)),
      { reason: 'unavailable', cause: 'malformed', status: 200 },
    ],
    [
      '200 about another token',
      () => json(tokenBody(), 200, { 'X-Subject-Token': fernetShaped() }),
      { reason: 'unavailable', cause: 'malformed', status: 200 },
    ],
    [
      '200 over 4 MiB',
      () => json(tokenBody({ catalog: 'x'.repeat(5 * 1024 * 1024) })),
      { reason: 'unavailable', cause: 'too_large', status: 200 },
    ],
    [
      '200 for a token that has expired',
      () => json(tokenBody({ expiresAtMs: createClock().now() })),
      { reason: 'expired' },
    ],
    [
      'a network error',
      () => Promise.reject(new TypeError(`header value ${TOKEN}`)),
      { reason: 'unavailable', cause: 'network' },
    ],
    [
      'access rules',
      () =>
        json(
          tokenBody({
            application_credential: {
              id: 'ac',
              name: 'n',
              restricted: true,
              access_rules: [{ id: 'r', path: '/v2.1/servers', method: 'GET', service: 'compute' }],
            },
          }),
        ),
      { reason: 'access_rules' },
    ],
    [
      'no access rule at all, but a list of them',
      () => json(tokenBody({ application_credential: { id: 'ac', access_rules: [] } })),
      { reason: 'access_rules' },
    ],
  ]
  for (const [name, respond, expected] of verdicts) {
    it(`${name}: ${JSON.stringify(expected)}`, async () => {
      const { client, clock, requests } = connect(respond)
      expect(await lookUp(client)).toEqual({ result: { ok: false, error: expected }, calls: 1 })
      expect(requests).toHaveLength(name === 'a network error' ? 2 : 1)
      expect(clock.pendingTimers()).toBe(0)
    })
  }

  const malformed: [string, Record<string, unknown>][] = [
    ['no user', { user: undefined }],
    ['a user without id', { user: { id: '', name: 'x', domain: { id: 'default', name: 'Default' } } }],
    ['a user without domain', { user: { id: 'x', name: 'x' } }],
    ['a user whose id leads elsewhere', { user: { id: '..', name: 'x', domain: { id: 'default', name: 'Default' } } }],
    ['a user name that is a list', { user: { id: 'x', name: ['x'], domain: { id: 'default', name: 'Default' } } }],
    ['no expires_at', { expires_at: undefined }],
    ['an expires_at in seconds', { expires_at: 1_800_000_000 }],
    ['an expires_at that is no time', { expires_at: '2026-13-45T99:99:99.000000Z' }],
    ['an expires_at in local time', { expires_at: '2027-01-01T00:00:00' }],
    ['two scopes', { domain: { id: 'default', name: 'Default' } }],
    ['a scope without roles', { roles: undefined }],
    ['roles that are names', { roles: ['admin'] }],
    ['a system scope that is not all', { project: undefined, system: { all: false } }],
    ['audit ids that are text', { audit_ids: 'x' }],
    ['a trust without id', { 'OS-TRUST:trust': {} }],
  ]
  for (const [name, fields] of malformed) {
    it(`an answer with ${name} says nothing`, async () => {
      const body = tokenBody()
      const { client } = connect(() => json({ token: { ...body.token, ...fields } }))
      expect(await lookUp(client)).toMatchObject({ result: { error: { reason: 'unavailable', cause: 'malformed' } } })
    })
  }
})

describe('what the answer says', () => {
  const scopes: [string, Record<string, unknown>, object][] = [
    ['project', {}, { kind: 'project', id: DEMO_ID, name: 'demo', domain: { id: 'default', name: 'Default' } }],
    [
      'domain',
      { project: undefined, domain: { id: 'd1', name: 'other' } },
      { kind: 'domain', id: 'd1', name: 'other' },
    ],
    ['system', { project: undefined, system: { all: true } }, { kind: 'system' }],
    ['unscoped', { project: undefined, roles: undefined }, { kind: 'unscoped' }],
  ]
  for (const [name, fields, scope] of scopes) {
    it(`${name} scope`, async () => {
      const { client } = connect(() => json(tokenBody(fields)))
      expect(await lookUp(client, false)).toMatchObject({ result: { value: { scope } } })
    })
  }

  it('an application credential and a trust', async () => {
    const fields = {
      application_credential: { id: 'ac1', name: 'ci', restricted: true },
      'OS-TRUST:trust': { id: 't1', impersonation: false, trustee_user: { id: 'x' }, trustor_user: { id: 'y' } },
    }
    const { client } = connect(() => json(tokenBody(fields)))
    expect(await lookUp(client, false)).toMatchObject({
      result: { value: { applicationCredentialId: 'ac1', trustId: 't1' } },
    })
  })

  describe('of a federated user', () => {
    const federation = {
      groups: [{ id: 'g1' }, { id: 'g2' }],
      identity_provider: { id: 'idp' },
      protocol: { id: 'openid' },
    }
    const user = { 'OS-FEDERATION': federation }

    it('names the identity provider, and merges the groups that Keystone lists with those of the token', async () => {
      const listed = [
        { id: 'g2', name: 'devs', domain_id: 'default' },
        { id: 'g3', name: 'ops', domain_id: 'default' },
      ]
      const { client, requests } = connect((request) =>
        json(isGroups(request) ? { groups: listed } : tokenBody({ user })),
      )
      expect(await lookUp(client)).toMatchObject({
        calls: 2,
        result: {
          value: {
            identityProvider: 'idp',
            groups: [
              { id: 'g2', name: 'devs', domainId: 'default' },
              { id: 'g3', name: 'ops', domainId: 'default' },
              { id: 'g1' },
            ],
          },
        },
      })
      expect(requests).toHaveLength(2)
    })

    it('has the groups of the token when Keystone does not show the others', async () => {
      const { client } = connect((request) =>
        isGroups(request) ? json(errorBody(403, 'x'), 403) : json(tokenBody({ user })),
      )
      expect(await lookUp(client)).toMatchObject({ result: { value: { groups: [{ id: 'g1' }, { id: 'g2' }] } } })
    })

    it('is "cannot tell" when the groups cannot be read', async () => {
      const { client } = connect((request) => (isGroups(request) ? html(500) : json(tokenBody({ user }))))
      expect(await lookUp(client)).toMatchObject({ result: { error: { cause: 'status' } } })
    })
  })

  it('the token may be repeated in the answer', async () => {
    const { client } = connect(() => json(tokenBody(), 200, { 'X-Subject-Token': TOKEN }))
    expect(await lookUp(client, false)).toMatchObject({ result: { ok: true } })
  })
})
