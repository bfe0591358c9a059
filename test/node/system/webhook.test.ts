import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type BasicService, serveBasic } from '../../../src/dev/basic-service.ts'
import { createIdentityApi } from '../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'
import { seedDemo } from '../../../src/dev/embedded-keystone/seed.ts'
import { type ServedKeystone, serveEmbeddedKeystone } from '../../../src/dev/embedded-keystone/serve.ts'
import { fernetShaped, jwsShaped } from '../../support/tokens.ts'
import { type GateMode, type KeystoneGate, openKeystoneGate } from './keystone-gate.ts'
import { type LocalWebhook, startLocalWebhook } from './local-webhook.ts'

// The deployed bundle in workerd, over real sockets: what only a real network and a real runtime can show.

const TIMEOUT_MS = 1000
let keystone: ServedKeystone
let gate: KeystoneGate
let webhook: LocalWebhook
let projectId: string
let basic: BasicService
const PASSWORD = `password-${randomBytes(16).toString('hex')}`
const STATIC_TOKEN = `static-${randomBytes(16).toString('hex')}`

beforeAll(async () => {
  keystone = await serveEmbeddedKeystone({ port: 0 })
  await seedDemo({ url: keystone.url, adminPassword: 'secret', fetch })
  gate = await openKeystoneGate(keystone.url)
  basic = await serveBasic('user1', PASSWORD)
  webhook = await startLocalWebhook(gate.url, { KEYSTONE_TIMEOUT_MS: String(TIMEOUT_MS), BASIC_AUTH_URL: basic.url })
  const digest = createHash('sha256').update(STATIC_TOKEN).digest('hex')
  await webhook.putDocument(
    'authenticators',
    JSON.stringify({ static: [{ token: `sha256:${digest}`, username: 'ci' }] }),
  )
  const connection = { url: keystone.url, fetch }
  const admin = await logIn(connection, { userName: 'admin', domain: 'default', password: 'secret', scope: 'system' })
  const project = await createIdentityApi(connection, admin.token).find('projects', 'demo', 'default')
  projectId = project?.id ?? ''
})

afterAll(async () => {
  await webhook?.close()
  await gate?.close()
  await basic?.close()
  await keystone?.close()
})

beforeEach(() => {
  gate.mode = 'open'
  gate.requests.length = 0
  gate.busiest = 0
})

async function tokenOf(name: 'alice' | 'bob'): Promise<string> {
  const scope = { project: projectId }
  return (await logIn({ url: keystone.url, fetch }, { userName: name, domain: 'default', password: name, scope })).token
}

describe('a real network', () => {
  it('costs a valid token two requests, whatever the load', async () => {
    const token = await tokenOf('alice')
    const first = await Promise.all(Array.from({ length: 50 }, () => webhook.review(token)))
    const later = await Promise.all(Array.from({ length: 200 }, () => webhook.review(token)))
    expect(new Set([...first, ...later].map(({ json }) => json.status.user?.username))).toEqual(new Set(['alice']))
    expect(gate.requests).toHaveLength(2)
  })

  const faults: [GateMode, RegExp][] = [
    ['reset', /connection failed/],
    ['truncate', /connection failed|not one of the Identity API/],
    ['drip', /did not answer in time/],
    ['hold', /did not answer in time/],
    ['redirect', /redirect/],
    ['status-500', /answered 500/],
    ['not-keystone', /not one of the Identity API/],
  ]
  for (const [mode, message] of faults) {
    it(`that makes Keystone ${mode} is "cannot tell", in time, and forgotten at once`, async () => {
      const token = await tokenOf('alice')
      gate.mode = mode
      const startedAtMs = performance.now()
      const answer = await webhook.review(token)
      expect(performance.now() - startedAtMs).toBeLessThan(2 * TIMEOUT_MS + 1000)
      expect([answer.status, answer.json.status]).toEqual([
        200,
        { authenticated: false, error: expect.stringMatching(message) },
      ])
      gate.mode = 'open'
      expect((await webhook.review(token)).json.status.authenticated).toBe(true)
    })
  }

  it('without a Keystone at all is "cannot tell" for a new token, while a cached one goes on', async () => {
    const [cached, fresh] = [await tokenOf('alice'), await tokenOf('bob')]
    const lonelyGate = await openKeystoneGate(keystone.url)
    const lonely = await startLocalWebhook(lonelyGate.url)
    try {
      expect((await lonely.review(cached)).json.status.authenticated).toBe(true)
      await lonelyGate.close()
      expect((await lonely.review(cached)).json.status.authenticated).toBe(true)
      expect((await lonely.review(fresh)).json.status).toEqual({
        authenticated: false,
        error: expect.stringContaining('Keystone'),
      })
    } finally {
      await lonely.close()
    }
  })
})

describe('many new users at once', () => {
  it('are all accepted, while Keystone gets at most 12 of their look-ups at a time', async () => {
    const tokens = await Promise.all(Array.from({ length: 30 }, () => tokenOf('alice')))
    const answers = await Promise.all(tokens.map((token) => webhook.review(token)))
    expect(answers.filter(({ json }) => json.status.authenticated)).toHaveLength(30)
    expect(gate.requests).toHaveLength(60)
    expect(gate.busiest).toBeGreaterThan(2)
    expect(gate.busiest).toBeLessThanOrEqual(12)
  })

  it('whose clients go away release their slots', async () => {
    const [leaving, staying] = [new AbortController(), await tokenOf('bob')]
    const tokens = await Promise.all(Array.from({ length: 12 }, () => tokenOf('alice')))
    gate.mode = 'hold'
    const gone = tokens.map((token) => webhook.review(token, { signal: leaving.signal }).catch(() => 'gone'))
    await gate.arrived(12)
    const waiting = webhook.review(staying)
    leaving.abort()
    expect(await Promise.all(gone)).toEqual(Array(12).fill('gone'))
    gate.mode = 'open'
    gate.release()
    expect((await waiting).json.status.user?.username).toBe('bob')
  })
})

describe('a leader whose client goes away', () => {
  it('leaves its followers an answer, from the same look-up', async () => {
    const token = await tokenOf('bob')
    gate.mode = 'hold'
    const leaving = new AbortController()
    const leader = webhook.review(token, { signal: leaving.signal }).catch(() => 'gone')
    await gate.arrived(1)
    const followers = Array.from({ length: 5 }, () => webhook.review(token))
    leaving.abort()
    expect(await leader).toBe('gone')
    // Round trips through the same workerd, so that it has noticed the closed connection before Keystone answers.
    for (let turn = 0; turn < 5; turn += 1) await (await fetch(`${webhook.url}/healthz`)).text()
    gate.mode = 'open'
    gate.release()
    for (const { json } of await Promise.all(followers)) expect(json.status.user?.username).toBe('bob')
    expect(gate.requests).toHaveLength(2)
  })
})

describe('secrets', () => {
  it('are in no answer, no log line and no byte of KV', async () => {
    const connection = { url: keystone.url, fetch }
    const valid = await tokenOf('alice')
    const revoked = await tokenOf('bob')
    const owner = await logIn(connection, { token: revoked, scope: { project: projectId } })
    await createIdentityApi(connection, owner.token).send({
      method: 'DELETE',
      path: '/auth/tokens',
      headers: { 'X-Subject-Token': revoked },
    })
    const unscoped = await logIn(connection, {
      userName: 'alice',
      domain: 'default',
      password: 'alice',
      scope: 'unscoped',
    })
    const garbage = 'hunter2-is-no-keystone-token'
    const secrets = [
      valid,
      revoked,
      unscoped.token,
      garbage,
      fernetShaped(),
      jwsShaped(),
      jwsShaped({ iss: 'https://kubernetes' }),
      `${valid}x`,
      STATIC_TOKEN,
      `user1:${PASSWORD}`,
      `user1:wrong-${PASSWORD}`,
    ]
    const answers: string[] = []
    const modes: GateMode[] = ['open', 'reset', 'drip', 'not-keystone', 'redirect', 'open']
    for (const mode of modes) {
      gate.mode = mode
      for (const secret of [...secrets, fernetShaped()]) answers.push((await webhook.review(secret)).text)
    }
    for (const body of [
      `{"spec": {"token": "${valid}"}}`,
      `{"token": ${valid}`,
      valid,
      JSON.stringify({ kind: valid, apiVersion: valid }),
    ]) {
      answers.push(await (await webhook.post('/webhook', body)).text())
    }
    const misplaced = await webhook.post(`/webhook/${valid}`, '{}', { Authorization: `Bearer ${valid}` })
    answers.push(
      await misplaced.text(),
      await (await webhook.post('/webhook', '{}', { Authorization: `Bearer ${valid}` })).text(),
    )

    const haystacks = { answers: answers.join('\n'), log: webhook.log.join('\n'), kv: readAll(webhook.kvDirectory) }
    expect(answers.filter((answer) => answer.includes('"authenticated":true')).length).toBeGreaterThan(0)
    expect(haystacks.kv.length).toBeGreaterThan(1000)
    expect(answers.filter((answer) => /"username":"(?:ci|basic:user1)"/.test(answer)).length).toBeGreaterThan(1)
    const hidden = [PASSWORD, btoa(`user1:${PASSWORD}`), webhook.callerToken, webhook.cacheKey]
    for (const secret of [...secrets, ...hidden]) {
      for (const [where, haystack] of Object.entries(haystacks)) {
        expect(haystack.includes(secret), `a secret is in ${where}`).toBe(false)
        expect(haystack.includes(secret.slice(0, 24)), `a part is in ${where}`).toBe(false)
      }
    }
    expect(haystacks.kv).not.toContain('alice')
    expect(haystacks.kv).not.toContain(projectId)
  })
})

describe('a refused caller', () => {
  it('without a certificate has no credential, and leaves one line however often he comes', async () => {
    const logged = webhook.log.length
    const ask = () => fetch(`${webhook.url}/clusters/prod-7/webhook`, { method: 'POST', body: '{}' })
    for (let times = 0; times < 20; times += 1) expect((await ask()).status).toBe(401)
    const lines = webhook.log.slice(logged).map((line) => JSON.parse(line))
    expect(lines).toMatchObject([{ event: 'caller', reason: 'no_credential', pathCluster: 'prod-7', repeats: 0 }])
  })
})

describe('the process', () => {
  it('has no secret among its arguments', () => {
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    expect(processes).not.toContain(webhook.callerToken)
    expect(processes).not.toContain(webhook.cacheKey)
  })
})

/** Every byte below a directory, as text in which ASCII can be found. */
function readAll(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n')
}
