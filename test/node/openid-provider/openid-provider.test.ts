import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../support/openid-provider/clients.ts'
import {
  type OpenidProvider,
  type OpenidProviderOptions,
  startOpenidProvider,
} from '../../support/openid-provider/openid-provider.ts'

// The provider of the federation tests refuses what a real one refuses, so that a client which passes here is right.

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const SECRET = 'a:b+c%20/ d'
const CLIENTS: readonly Client[] = [
  { id: 'cli', secret: SECRET, grants: ['client_credentials', 'password', DEVICE], scopes: ['openid', 'email'] },
  { id: 'narrow', secret: 'narrow', grants: ['password'], scopes: ['openid'] },
  { id: 'public', grants: ['client_credentials', DEVICE], scopes: ['openid'] },
]
const ALICE = { sub: 'sub-alice', username: 'alice', password: 'wonder', email: 'alice@example.com' }
const OWN = { client_id: 'cli', client_secret: SECRET }
const ALICES = { username: 'alice', password: 'wonder' }

interface Answer {
  status: number
  headers: Headers
  json: Record<string, unknown>
}

let nowMs = Date.UTC(2026, 10, 22, 13, 0, 0)
const providers: OpenidProvider[] = []
let provider: OpenidProvider

async function start(options: Partial<OpenidProviderOptions> = {}): Promise<OpenidProvider> {
  const started = await startOpenidProvider({ clients: CLIENTS, users: [ALICE], now: () => nowMs, ...options })
  providers.push(started)
  return started
}

async function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(provider.issuer + path, { method: 'POST', body: new URLSearchParams(form), headers })
  return { status: response.status, headers: response.headers, json: (await response.json()) as Answer['json'] }
}

const introspect = (token: unknown) => post('/introspect', { ...OWN, token: String(token) })

beforeAll(async () => {
  provider = await start({ algorithm: 'ES256' })
})

afterAll(() => Promise.all(providers.map((each) => each.close())))

describe('the OpenID provider of the tests', () => {
  it('says in its discovery document where its endpoints are', async () => {
    const document = await (await fetch(provider.discoveryUrl)).json()
    expect(document).toMatchObject({
      issuer: provider.issuer,
      token_endpoint: `${provider.issuer}/token`,
      device_authorization_endpoint: `${provider.issuer}/device_authorization`,
      introspection_endpoint: provider.introspectionUrl,
      grant_types_supported: ['client_credentials', 'password', DEVICE],
    })
  })

  it.each(['RS256', 'ES256'] as const)('signs tokens with %s, which its keys verify', async (algorithm) => {
    const { issuer } = await start({ algorithm })
    const keys = (await (await fetch(`${issuer}/jwks`)).json()) as JSONWebKeySet
    const body = new URLSearchParams({ ...OWN, ...ALICES, grant_type: 'password' })
    const answer = (await (await fetch(`${issuer}/token`, { method: 'POST', body })).json()) as Answer['json']
    const expected = { issuer, currentDate: new Date(nowMs), algorithms: [algorithm] }
    const access = await jwtVerify(String(answer.access_token), createLocalJWKSet(keys), expected)
    expect(access.payload).toMatchObject({ sub: 'sub-alice', client_id: 'cli', scope: 'openid email' })
    const id = await jwtVerify(String(answer.id_token), createLocalJWKSet(keys), { ...expected, audience: 'cli' })
    expect(id.payload).toMatchObject({ sub: 'sub-alice', preferred_username: 'alice' })
  })

  it('takes the secret of a client in the form, or form-encoded in HTTP Basic', async () => {
    const encode = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length)
    const basic = (secret: string) => ({ Authorization: `Basic ${btoa(`cli:${secret}`)}` })
    const grant = { grant_type: 'client_credentials' }
    expect(await post('/token', { ...grant, ...OWN })).toMatchObject({ status: 200 })
    expect(await post('/token', grant, basic(encode(SECRET)))).toMatchObject({ status: 200 })
    // Not encoded, `%20` reads as a blank and `+` as another.
    expect(await post('/token', grant, basic(SECRET))).toMatchObject({ status: 401 })
    const both = await post('/token', { ...grant, ...OWN }, basic(encode(SECRET)))
    expect(both).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
  })

  it('issues a token to the client itself, and to a user by password', async () => {
    const own = await post('/token', { ...OWN, grant_type: 'client_credentials', scope: 'email' })
    expect(own.json).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'email' })
    expect(own.json).not.toHaveProperty('id_token')
    expect(own.headers.get('Cache-Control')).toBe('no-store')
    expect((await introspect(own.json.access_token)).json).toMatchObject({ sub: 'service-account-cli' })
    const alices = await post('/token', { ...OWN, ...ALICES, grant_type: 'password' })
    const facts = { active: true, iss: provider.issuer, sub: 'sub-alice', email: 'alice@example.com' }
    expect((await introspect(alices.json.access_token)).json).toMatchObject(facts)
  })

  const refused: [what: string, error: string, form: Record<string, string>][] = [
    ['an unknown client', 'invalid_client', { ...OWN, client_id: 'other' }],
    ['no client', 'invalid_client', { client_id: '', client_secret: '' }],
    ['a wrong secret', 'invalid_client', { ...OWN, client_secret: 'wrong' }],
    ['a secret of a public client', 'invalid_client', { client_id: 'public', client_secret: 'x' }],
    ['a scope that the client may not have', 'invalid_scope', { ...OWN, scope: 'openid admin' }],
    ['a grant that the client may not use', 'unauthorized_client', { client_id: 'narrow', client_secret: 'narrow' }],
    ['a public client that acts for itself', 'unauthorized_client', { client_id: 'public' }],
    ['a grant that nobody may use', 'unsupported_grant_type', { ...OWN, grant_type: 'authorization_code' }],
    ['no grant', 'invalid_request', { ...OWN, grant_type: '' }],
    ['a wrong password', 'invalid_grant', { ...OWN, ...ALICES, grant_type: 'password', password: 'wrong' }],
    ['an unknown user', 'invalid_grant', { ...OWN, ...ALICES, grant_type: 'password', username: 'bob' }],
    ['no password', 'invalid_request', { ...OWN, grant_type: 'password', username: 'alice' }],
    ['an unknown device code', 'invalid_grant', { ...OWN, grant_type: DEVICE, device_code: 'none' }],
  ]
  it.each(refused)('refuses %s: %s', async (_, error, form) => {
    const answer = await post('/token', { grant_type: 'client_credentials', ...form })
    expect(answer).toMatchObject({ status: error === 'invalid_client' ? 401 : 400, json: { error } })
    expect(answer.headers.has('WWW-Authenticate')).toBe(error === 'invalid_client')
  })

  it('refuses a body that is no form, and a parameter given twice', async () => {
    for (const [type, body] of [
      ['application/json', '{}'],
      ['application/x-www-form-urlencoded', 'grant_type=password&grant_type=password'],
    ] as const) {
      const init = { method: 'POST', body, headers: { 'Content-Type': type } }
      const response = await fetch(`${provider.issuer}/token`, init)
      expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_request' }])
    }
    expect((await fetch(`${provider.issuer}/token`, { method: 'PUT' })).status).toBe(405)
  })

  it('says of a token that is expired, foreign or an ID token only that it is not active', async () => {
    const { json } = await post('/token', { ...OWN, ...ALICES, grant_type: 'password' })
    for (const token of [json.id_token, `${json.access_token}x`, 'garbage']) {
      expect((await introspect(token)).json).toEqual({ active: false })
    }
    nowMs += 300_000
    expect((await introspect(json.access_token)).json).toEqual({ active: false })
    const unauthenticated = await post('/introspect', { client_id: 'public', token: String(json.access_token) })
    expect(unauthenticated).toMatchObject({ status: 401, json: { error: 'invalid_client' } })
  })

  it('counts its requests, with the grants', async () => {
    provider.requests.length = 0
    await post('/token', { ...OWN, grant_type: 'client_credentials' })
    await fetch(provider.discoveryUrl)
    expect(provider.requests).toEqual(['POST /token client_credentials', 'GET /.well-known/openid-configuration'])
  })
})

describe('a device', () => {
  const begin = (client: Record<string, string> = OWN) => post('/device_authorization', { ...client, scope: 'openid' })
  const poll = async (deviceCode: unknown, client: Record<string, string> = OWN) =>
    (await post('/token', { ...client, grant_type: DEVICE, device_code: String(deviceCode) })).json

  it('gets a token once its user has approved, and only once', async () => {
    const { json } = await begin()
    expect(json).toMatchObject({ interval: 5, expires_in: 600, verification_uri: `${provider.issuer}/device` })
    expect(await poll(json.device_code)).toMatchObject({ error: 'authorization_pending' })
    provider.approveDevice(String(json.user_code).toLowerCase().replace('-', ' '), 'alice')
    nowMs += 5000
    const { access_token: token } = await poll(json.device_code)
    expect((await introspect(token)).json).toMatchObject({ sub: 'sub-alice', scope: 'openid' })
    expect(await poll(json.device_code)).toMatchObject({ error: 'invalid_grant' })
  })

  it('that polls too often waits five seconds longer each time', async () => {
    const { json } = await begin()
    expect(await poll(json.device_code)).toMatchObject({ error: 'authorization_pending' })
    nowMs += 4999
    expect(await poll(json.device_code)).toMatchObject({ error: 'slow_down' })
    nowMs += 9999
    expect(await poll(json.device_code)).toMatchObject({ error: 'slow_down' })
    nowMs += 15_000
    expect(await poll(json.device_code)).toMatchObject({ error: 'authorization_pending' })
  })

  it('is told that its user refused, or that its code has expired', async () => {
    const [denied, late] = [(await begin()).json, (await begin()).json]
    provider.denyDevice(String(denied.user_code))
    expect(await poll(denied.device_code)).toMatchObject({ error: 'access_denied' })
    nowMs += 600_000
    expect(await poll(late.device_code)).toMatchObject({ error: 'expired_token' })
  })

  it('may be a public client, but uses only its own code', async () => {
    const { json } = await begin({ client_id: 'public' })
    provider.approveDevice(String(json.user_code), 'alice')
    expect(await poll(json.device_code)).toMatchObject({ error: 'invalid_grant' })
    expect(await poll(json.device_code, { client_id: 'public' })).toHaveProperty('access_token')
    const narrow = { client_id: 'narrow', client_secret: 'narrow' }
    expect((await begin(narrow)).json).toMatchObject({ error: 'unauthorized_client' })
  })

  it('is approved by nobody with a code that it does not show', () => {
    expect(() => provider.approveDevice('BBBB-BBBB', 'alice')).toThrow('no device waits')
    expect(() => provider.approveDevice('BBBB-BBBB', 'nobody')).toThrow('no user')
  })
})
