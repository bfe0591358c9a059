import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const DEFAULT = { id: 'default', name: 'Default' }
const OTHER = { id: '5f0a0cf0d9b74f1dbbd7a3c4b8a5e6d7', name: 'other' }
const hex = (digit: string) => digit.repeat(32)
const ALICE = { id: hex('a'), name: 'alice', domain: DEFAULT }
const BOB = { id: hex('b'), name: 'bob', domain: OTHER }
const DEMO = { id: hex('1'), name: 'demo', domain: DEFAULT }
const role = (name: string, digit: string) => ({ id: hex(digit), name })
const MEMBER = role('member', '8')
const ASSIGNMENTS = [
  { role: MEMBER, user: ALICE, scope: { project: DEMO }, links: {} },
  { role: role('reader', '9'), user: ALICE, scope: { project: DEMO }, links: {} },
  { role: MEMBER, user: BOB, scope: { project: DEMO }, links: {} },
  { role: role('admin', '7'), user: ALICE, scope: { system: { all: true } }, links: {} },
  { role: MEMBER, group: { id: hex('c'), name: 'nobody', domain: DEFAULT }, scope: { domain: DEFAULT }, links: {} },
]
const TOKEN = 'the-token-of-the-administrator'

interface Asked {
  readonly method: string | undefined
  readonly path: string
  readonly token: string | undefined
}

/** What an Identity API v3 answers to an administrator, as far as `diff` asks. Assignments come in pages of 2. */
class StubKeystone {
  readonly asked: Asked[] = []
  /** Answers in place of the usual ones. */
  override: ((path: string) => { readonly status: number; readonly body?: unknown } | undefined) | undefined
  #server: Server | undefined

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#server = server
  }

  get url(): string {
    const address = this.#server?.address()
    if (typeof address !== 'object' || address === null) throw new Error('used before its start')
    return `http://127.0.0.1:${address.port}/v3`
  }

  close(): void {
    this.#server?.close()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace(/^\/v3/, '')
    const token = request.headers['x-auth-token']
    this.asked.push({ method: request.method, path, token: Array.isArray(token) ? token[0] : token })
    request.resume().on('end', () => {
      const { status, body } = this.override?.(path) ?? this.#usual(path)
      const headers = { 'Content-Type': 'application/json', 'X-Subject-Token': TOKEN }
      response.writeHead(status, headers).end(JSON.stringify(body ?? {}))
    })
  }

  #usual(path: string): { readonly status: number; readonly body?: unknown } {
    if (path.startsWith('/auth/tokens')) {
      const times = { issued_at: '2026-01-01T00:00:00.000000Z', expires_at: '2036-01-01T00:00:00.000000Z' }
      return { status: 201, body: { token: { user: ALICE, system: { all: true }, ...times } } }
    }
    if (path.startsWith('/role_assignments')) {
      const start = Number(/marker=(\d+)/.exec(path)?.[1] ?? 0)
      // Another host: the token must not go there.
      const next = `http://192.0.2.1/v3/role_assignments?effective&include_names&marker=${start + 2}`
      const links = { next: start + 2 < ASSIGNMENTS.length ? next : null }
      return { status: 200, body: { role_assignments: ASSIGNMENTS.slice(start, start + 2), links } }
    }
    if (path === '/groups')
      return {
        status: 200,
        body: { groups: [{ id: hex('d'), name: 'ops', domain_id: 'default' }], links: { next: null } },
      }
    if (path === `/groups/${hex('d')}/users`) return { status: 200, body: { users: [{ id: ALICE.id }], links: {} } }
    return { status: 404 }
  }
}

const keystone = new StubKeystone()
beforeAll(() => keystone.start())
afterAll(() => keystone.close())
beforeEach(() => {
  keystone.asked.length = 0
  keystone.override = undefined
})

const variables = () => ({
  OS_AUTH_URL: keystone.url,
  OS_USERNAME: 'admin',
  OS_PASSWORD: 'hunter2',
  OS_USER_DOMAIN_ID: 'default',
  OS_SYSTEM_SCOPE: 'all',
})
const ask = (...args: string[]) => cli.json([...args, '--principals', 'keystone'], { env: variables() })

describe('mapping diff --principals keystone', () => {
  it('names what the users of Keystone gain and lose, by their roles, groups and domains', async () => {
    const old = cli.write('old.json', {})
    const now = cli.write('new.json', {
      allow: { scopes: ['project'], domains: ['default'] },
      rules: [
        { role: hex('9'), project: 'demo', groups: ['readers'] },
        { group: 'ops', groups: ['platform-admins'] },
      ],
    })
    const demo = `user alice; project demo; roles member, reader`
    const bob = `user bob@${OTHER.id}; project demo; roles member`
    expect(await ask('mapping', 'diff', old, now)).toEqual({
      code: 1,
      value: {
        gained: [
          { principal: demo, group: 'platform-admins' },
          { principal: demo, group: 'readers' },
        ],
        lost: [
          { principal: bob, permission: `log in as bob@${OTHER.id}` },
          { principal: bob, group: DEMO.id },
        ],
      },
    })
  })

  it('sends the token to this Keystone only, page by page', async () => {
    const file = cli.write('old.json', {})
    expect(await ask('mapping', 'diff', file, file)).toEqual({ code: 0, value: { gained: [], lost: [] } })
    expect(keystone.asked).toEqual([
      { method: 'POST', path: '/auth/tokens?nocatalog', token: undefined },
      ...['', '&marker=2', '&marker=4'].map((marker) => ({
        method: 'GET',
        path: `/role_assignments?effective&include_names${marker}`,
        token: TOKEN,
      })),
      { method: 'GET', path: '/groups', token: TOKEN },
      { method: 'GET', path: `/groups/${hex('d')}/users`, token: TOKEN },
    ])
  })

  it('reads a cloud of clouds.yaml', async () => {
    const { OS_AUTH_URL, ...rest } = variables()
    const auth = {
      auth_url: OS_AUTH_URL,
      username: 'admin',
      password: 'hunter2',
      user_domain_id: 'default',
      system_scope: 'all',
    }
    cli.write('admin-clouds.json', { clouds: { prod: { auth } } })
    const file = cli.write('old.json', {})
    const env = { OS_CLIENT_CONFIG_FILE: 'admin-clouds.json' }
    const given = ['mapping', 'diff', file, file, '--principals', 'keystone', '--cloud', 'prod']
    expect(Object.keys(rest)).toHaveLength(4)
    expect(await cli.json(given, { env })).toEqual({ code: 0, value: { gained: [], lost: [] } })
  })

  it.each([
    ['a refused log-in', '/auth/tokens', 401, 3],
    ['a refused list', '/role_assignments', 403, 3],
    ['an answer of another service', '/role_assignments', 404, 3],
    ['a Keystone that fails', '/groups', 503, 3],
  ])('ends with the code for %s, and repeats no secret', async (_, path, status, code) => {
    keystone.override = (asked) => (asked.startsWith(path) ? { status } : undefined)
    const file = cli.write('old.json', {})
    const args = ['mapping', 'diff', file, file, '--principals', 'keystone', '-o', 'json']
    const outcome = await cli.run(args, { env: variables() })
    expect(outcome).toMatchObject({ code, stderr: expect.stringContaining('error: ') })
    expect(outcome.stdout + outcome.stderr).not.toMatch(new RegExp(`hunter2|${TOKEN}`))
  })

  it('says what is missing, with 2, where no Keystone is named', async () => {
    const file = cli.write('old.json', {})
    const args = ['mapping', 'diff', file, file, '--principals', 'keystone']
    const without = await cli.run(args, { env: { HOME: cli.directory } })
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('OS_AUTH_URL') })
    const { OS_PASSWORD: _, ...env } = variables()
    expect(await cli.run(args, { env })).toMatchObject({ code: 2, stderr: expect.stringContaining('password') })
  })
})

describe('policy diff --principals keystone', () => {
  const users = { roles: ['member'], projects: ['demo'] }
  const old = [{ users, resource_permissions: { 'default/pods': ['get'] } }]

  it('names what the users of Keystone may do now, with what a mapping makes of them', async () => {
    const files = [
      cli.write('old.json', old),
      cli.write('new.json', [...old, { users, resource_permissions: { 'default/secrets': ['get'] } }]),
    ]
    const alice = 'user alice; project demo; roles member, reader'
    const bob = `user bob@${OTHER.id}; project demo; roles member`
    const permission = 'get secrets in default'
    expect(await ask('policy', 'diff', ...files)).toEqual({
      code: 1,
      value: { gained: [alice, bob].map((principal) => ({ principal, permission })), lost: [] },
    })
    const mapping = cli.write('mapping.json', { deny: { users: [BOB.id] } })
    expect(await ask('policy', 'diff', ...files, '--mapping', mapping)).toMatchObject({
      value: { gained: [{ principal: alice, permission }], lost: [] },
    })
  })

  it('tells users apart where an entry asks for names', async () => {
    const match = [{ type: 'user', values: ['alice'] }]
    const resource = { verbs: ['get'], resources: ['nodes'], version: '*', namespace: '*' }
    const files = [cli.write('old.json', old), cli.write('new.json', [...old, { resource, match }])]
    const { value } = await ask('policy', 'diff', ...files)
    const { gained } = value as { readonly gained: readonly { readonly principal: string }[] }
    expect(gained.length).toBeGreaterThan(0)
    expect(gained.every(({ principal }) => principal.startsWith('user alice;'))).toBe(true)
  })
})

describe('diff --audit', () => {
  const line = (fields: object) => JSON.stringify({ event: 'review', decision: 'allow', source: 'policy', ...fields })

  it('adds the users of an audit log to a mapping, by their names', async () => {
    const log = [
      line({ kind: 'TokenReview', user: 'eve', source: 'memory', reason: 'authenticated' }),
      line({ kind: 'TokenReview', user: `mallory@${OTHER.id}`, source: 'keystone', reason: 'authenticated' }),
      line({ kind: 'TokenReview', user: 'ci-bot', source: 'static', reason: 'authenticated' }),
      line({ kind: 'SubjectAccessReview', user: 'system:serviceaccount:a:b', reason: 'not_keystone' }),
      'not a line of it',
      '{"event":"error","code":"unexpected"}',
    ]
    const audit = cli.write('audit.log', `${log.join('\n')}\n`)
    const files = [
      cli.write('old.json', {}),
      cli.write('new.json', { allow: { domains: [OTHER.id] }, deny: { users: ['ci-bot'] } }),
    ]
    expect(await cli.json(['mapping', 'diff', ...files, '--audit', audit])).toEqual({
      code: 1,
      value: {
        gained: [],
        lost: [
          { principal: 'user eve', permission: 'log in as eve' },
          { principal: 'user eve', group: '00000000000000000000000000000002' },
        ],
      },
    })
  })

  it('adds the users whom entries of the old policy allowed', async () => {
    const users = { roles: ['member'], projects: ['demo'] }
    const old = [{ users, resource_permissions: { 'default/pods': ['get'] } }]
    const files = [cli.write('old.json', old), cli.write('new.json', [])]
    const log = [
      line({ kind: 'SubjectAccessReview', user: 'eve', reason: 'policy [0].resource_permissions["default/pods"]' }),
      line({ kind: 'SubjectAccessReview', user: 'bob', reason: 'no_match', decision: 'no_opinion' }),
      line({ kind: 'SubjectAccessReview', user: 'carol', reason: 'policy [7]' }),
    ]
    const audit = cli.write('audit.log', log.join('\n'))
    const { value } = await cli.json(['policy', 'diff', ...files, '--audit', audit])
    expect(value).toMatchObject({
      lost: [
        { principal: 'project demo; roles member' },
        { principal: 'user eve; project demo; roles member', permission: 'get pods in default' },
      ],
    })
  })

  it('ends with 1 for a file without such lines', async () => {
    const file = cli.write('old.json', {})
    const { code, stderr } = await cli.run(['mapping', 'diff', file, file, '--audit', cli.write('other.log', 'a\nb\n')])
    expect([code, stderr]).toEqual([1, expect.stringContaining('has no audit lines')])
  })
})
