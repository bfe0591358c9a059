import { mkdirSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { logIn } from '../../../../src/dev/embedded-keystone/log-in.ts'
import { seedDemo } from '../../../../src/dev/embedded-keystone/seed.ts'
import { type ServedKeystone, serveEmbeddedKeystone } from '../../../../src/dev/embedded-keystone/serve.ts'
import { type LocalWebhook, startLocalWebhook } from '../../system/local-webhook.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const CALLER = 'the-credential-of-the-caller'
type Findings = readonly { check: string; state: string; message: string; fix: string }[]

async function doctor(args: readonly string[]): Promise<{ code: number | null; findings: Findings }> {
  const { code, value } = await cli.json(['doctor', ...args])
  return { code, findings: value as Findings }
}

/** The findings that are not `ok`, without those that were not tried. */
function faulty({ findings }: { findings: Findings }): string[][] {
  const shown = findings.filter(({ state, message }) => state !== 'ok' && !message.startsWith('not tried'))
  return shown.map(({ check, state, message }) => [check, state, message])
}

describe('doctor, with the Worker and a Keystone,', () => {
  let keystone: ServedKeystone
  let webhook: LocalWebhook
  let args: string[]
  beforeAll(async () => {
    keystone = await serveEmbeddedKeystone({ port: 0 })
    await seedDemo({ url: keystone.url, adminPassword: 'secret', fetch })
    webhook = await startLocalWebhook(keystone.url)
    args = ['--url', webhook.url, '--caller-token-file', cli.write('caller-token', `${webhook.callerToken}\n`)]
  })
  afterAll(async () => {
    await webhook?.close()
    // The last test has closed it already.
    await keystone?.close().catch(() => undefined)
  })

  it('finds every link in order, and says who a token is', async () => {
    const { token } = await logIn(
      { url: keystone.url, fetch },
      { userName: 'alice', domain: 'default', password: 'alice' },
    )
    await webhook.putDocument('mapping', '{"allow": {"scopes": ["unscoped"]}}')
    const all = [...args, '--cluster', 'test', '--token-file', cli.write('token', token)]
    const { code, findings } = await doctor(all)
    expect(faulty({ findings })).toEqual([])
    expect(code).toBe(0)
    expect(findings.map(({ check }) => check)).toEqual([
      ...['dns', 'tls', 'healthz', 'clock', 'caller', 'settings', 'keystone', 'breaker', 'warnings'],
      ...['callers', 'mapping', 'policy', 'authenticators', 'keystone-keys'].map((name) => `document ${name}`),
      ...['garbage token', 'token', 'latency'],
    ])
    expect(findings.find(({ check }) => check === 'token')?.message).toMatch(/^alice, uid [0-9a-f]{32}, groups /)
    const shown = await cli.run(['doctor', ...all])
    expect(shown.stdout).toMatch(/^✓ dns: .*\n✓ tls: /)
    for (const secret of [token, webhook.callerToken]) expect(shown.stdout + shown.stderr).not.toContain(secret)
  })

  it('says that a credential is unknown, or of another cluster', async () => {
    const other = await doctor([...args, '--cluster', 'prod'])
    expect([other.code, faulty(other)]).toEqual([1, [['caller', 'failed', expect.stringMatching(/^wrong cluster/)]]])
    const unknown = await doctor([...args.slice(0, 3), cli.write('unknown', 'another-credential')])
    expect([unknown.code, faulty(unknown)]).toEqual([1, [['caller', 'failed', expect.stringMatching(/not known/)]]])
    expect(unknown.findings.filter(({ message }) => message === 'not tried, because caller failed')).toHaveLength(7)
  })

  it('says that a token is refused', async () => {
    const refused = await doctor([...args, '--token-file', cli.write('refused', 'nonsense')])
    expect([refused.code, faulty(refused)]).toEqual([1, [['token', 'failed', expect.stringMatching(/^refused/)]]])
  })

  it('says what /readyz does not show in force, and tries no review without Keystone', async () => {
    await keystone.close()
    await webhook.putDocument('policy', 'x')
    const { code, findings } = await doctor(args)
    expect(code).toBe(1)
    expect(findings.find(({ check }) => check === 'keystone')).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('KEYSTONE_URL'),
    })
    expect(findings.at(-1)).toMatchObject({ check: 'latency', message: 'not tried, because keystone failed' })
  })
})

describe('doctor, with a server over https,', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  async function serve(listener: RequestListener, days = 365): Promise<string[]> {
    const now = Date.now()
    const made = await generate([{ name: 'commonName', value: 'doctor' }], {
      notBeforeDate: new Date(now - 400 * 86_400_000),
      notAfterDate: new Date(now + days * 86_400_000),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    const started = createServer({ key: made.private, cert: made.cert }, listener)
    server = started
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
    const address = started.address()
    const port = typeof address === 'object' ? address?.port : 0
    const files = ['--cacert', cli.write('tls.crt', made.cert), '--caller-token-file', cli.write('token', CALLER)]
    return ['--url', `https://127.0.0.1:${port}`, ...files]
  }

  it('says that the certificate is not trusted, has expired, or ends soon', async () => {
    const args = await serve((_, response) => response.end('{"status": "ok", "version": "1"}'), 3)
    expect(faulty(await doctor(args))[0]).toMatchObject(['tls', 'warning', expect.stringMatching(/good for \d days/)])
    const untrusted = await doctor([...args.slice(0, 2), ...args.slice(4)])
    expect([untrusted.code, faulty(untrusted)]).toEqual([1, [['tls', 'failed', expect.stringMatching(/no authority/)]]])
    server?.close()
    expect(faulty(await doctor(await serve(() => undefined, -1)))).toMatchObject([
      ['tls', 'failed', expect.stringMatching(/has expired/)],
    ])
  })

  it('sends no credential to what is no keystone-edge-auth, and follows no redirect', async () => {
    const asked: (string | undefined)[] = []
    const args = await serve((request, response) => {
      asked.push(request.headers.authorization)
      response.writeHead(302, { Location: 'https://example.com/' }).end()
    })
    expect(faulty(await doctor(args))).toMatchObject([['healthz', 'failed', expect.stringMatching(/redirect/)]])
    expect(asked).toEqual([undefined])
  })

  it('says how wrong the clock of this machine is', async () => {
    const args = await serve((_, response) => {
      response.setHeader('Date', new Date(Date.now() - 120_000).toUTCString())
      response.end('{"status": "ok", "version": "1"}')
    })
    expect(faulty(await doctor(args))[0]).toMatchObject([
      'clock',
      'warning',
      expect.stringMatching(/1(19|20|21) s fast/),
    ])
  })

  it('says that a random token is let in, and shows no credential that the server repeats', async () => {
    const ready = { keystone: { reachable: true }, breaker: 'closed', settings: [], warnings: [], documents: {} }
    const args = await serve((request, response) => {
      if (request.url === '/healthz') return response.end('{"status": "ok", "version": "1"}')
      if (request.url === '/readyz') return response.end(JSON.stringify(ready))
      let body = ''
      request.setEncoding('utf8').on('data', (text) => (body += text))
      return request.on('end', () => {
        const asked = JSON.parse(body)
        if (asked.kind === undefined) response.statusCode = 400
        const message = `sent ${request.headers.authorization}\u001b[31m`
        const status = { authenticated: true, user: { username: asked.spec?.token } }
        response.end(JSON.stringify(asked.kind ? { ...asked, status } : { kind: 'Status', message }))
      })
    })
    const outcome = await cli.run(['doctor', ...args])
    expect([outcome.code, outcome.stdout]).toEqual([1, expect.stringContaining('✗ garbage token: a random token was')])
    expect(outcome.stdout + outcome.stderr).not.toContain(CALLER)
  })

  it('sends no credential over http past a proxy', async () => {
    const args = ['--url', 'http://127.0.0.1:9', '--caller-token-file', cli.write('token', CALLER)]
    const { code, stderr } = await cli.run(['doctor', ...args], { env: { HTTP_PROXY: 'http://192.0.2.1:3128' } })
    expect([code, stderr]).toEqual([2, expect.stringContaining('set NO_PROXY=127.0.0.1')])
  })

  it('ends with 2 for a token file that is a directory, or holds more than a token', async () => {
    mkdirSync(join(cli.directory, 'directory'))
    cli.write('large', 'x'.repeat(10 * 1024 * 1024))
    cli.write('two', 'one two')
    for (const file of ['directory', 'large', 'two'])
      expect((await cli.run(['doctor', '--url', 'https://[::1]', '--caller-token-file', file])).code).toBe(2)
  })

  it.each([
    ['a host without an address', 'https://nothing.invalid', 1],
    ['http to another machine', 'http://192.0.2.1', 2],
    ['a path of the Worker', 'https://192.0.2.1/webhook', 2],
    ['no URL', 'nothing', 2],
  ])('ends for %s', async (_, url, code) => {
    const args = ['--url', url, '--caller-token-file', cli.write('token', CALLER)]
    expect((await cli.run(['doctor', ...args])).code).toBe(code)
    expect((await cli.run(['doctor', '--url', url, '--caller-token-file', 'missing'])).code).toBe(2)
  })
})
