import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FrontEnd, startFrontEnd } from '../../../support/client-stage.ts'
import { useClient, variablesOf } from './client-suite.ts'

const suite = useClient()

interface Pair {
  readonly cert: string
  readonly private: string
}
const certificateFor = (name: string, until = Date.now() + 3_600_000): Promise<Pair> =>
  generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 7_200_000),
    notAfterDate: new Date(until),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: name }] },
    ],
  })

let valid: Pair
let expired: Pair
let otherHost: Pair
beforeAll(async () => {
  valid = await certificateFor('127.0.0.1')
  expired = await certificateFor('127.0.0.1', Date.now() - 3_600_000)
  otherHost = await certificateFor('127.0.0.2')
})

const open: FrontEnd[] = []
afterAll(() => Promise.all(open.map((front) => front.close())))

/** The suite's Keystone behind https. */
async function overTls(pair: Pair, options: ServerOptions = {}): Promise<FrontEnd> {
  const tls = { key: pair.private, cert: pair.cert, ...options }
  const front = await startFrontEnd(suite().keystone.url, (listener: RequestListener) => createServer(tls, listener))
  open.push(front)
  return front
}

describe('a certificate of Keystone', () => {
  it('is trusted by cacert, of a variable, a flag or a cloud', async () => {
    const { client } = suite()
    const front = await overTls(valid)
    const cacert = client.write('ca.pem', valid.cert)
    const env = variablesOf(front.url, 'alice', 'demo')
    expect(await client.token({ env: { ...env, OS_CACERT: cacert } })).toMatch(/^gAAAA/)
    expect(await client.token({ env, args: ['--cacert', cacert] })).toMatch(/^gAAAA/)
    const auth = `{auth_url: '${front.url}', username: alice, password: alice, project_name: demo, domain_name: Default}`
    client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}, cacert: ~/ca.pem}}`)
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
  })

  it.each([
    ['is signed by nobody who is trusted', () => valid, 'put the file of its authority into cacert', {}],
    [
      'whatever NODE_TLS_REJECT_UNAUTHORIZED says',
      () => valid,
      'put the file of its authority',
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    ],
    ['has expired', () => expired, 'check the clock, or renew the certificate', { OS_CACERT: 'expired' }],
    ['is for another host', () => otherHost, 'a certificate for another host name', { OS_CACERT: 'otherHost' }],
  ])('is refused when it %s', async (_, pair, message, variables) => {
    const { client } = suite()
    const front = await overTls(pair())
    const env: Record<string, string> = { ...variablesOf(front.url, 'alice', 'demo'), ...variables }
    if (env.OS_CACERT !== undefined) env.OS_CACERT = client.write('ca.pem', pair().cert)
    const { code, stderr } = await client.run({ env })
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).toContain(front.url)
    expect(front.requests).toEqual([])
  })

  it('is not trusted by NODE_EXTRA_CA_CERTS, which a kubeconfig can set', async () => {
    const { client } = suite()
    const front = await overTls(valid)
    const extra = client.write('ca.pem', valid.cert)
    const { code } = await client.run({
      env: { ...variablesOf(front.url, 'alice', 'demo'), NODE_EXTRA_CA_CERTS: extra },
    })
    expect(code).toBe(1)
    expect(front.requests).toEqual([])
  })

  it.each([
    ['--insecure', ['--insecure'], {}],
    ['OS_INSECURE', [], { OS_INSECURE: 'true' }],
  ])('is not verified with %s, with a warning', async (_, args, variables) => {
    const { client } = suite()
    const front = await overTls(valid)
    const { code, stderr } = await client.run({
      args,
      env: { ...variablesOf(front.url, 'alice', 'demo'), ...variables },
    })
    expect(code).toBe(0)
    expect(stderr).toMatch(/^client-keystone-auth: the certificate of Keystone is not verified/m)
  })

  it('is verified where insecure says so, whatever verify says', async () => {
    const { client } = suite()
    const front = await overTls(valid)
    const auth = `{auth_url: '${front.url}', username: alice, password: alice, project_name: demo, domain_name: Default}`
    const write = (rest: string) =>
      client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}, ${rest}}}`)
    write('verify: false')
    expect((await client.run({ env: { OS_CLOUD: 'demo' } })).code).toBe(0)
    write('verify: false, insecure: false')
    expect((await client.run({ env: { OS_CLOUD: 'demo' } })).code).toBe(1)
  })
})

describe('a client certificate', () => {
  it('is presented where cert and key name it', async () => {
    const { client } = suite()
    const mine = await certificateFor('10.0.0.1')
    const front = await overTls(valid, { requestCert: true, rejectUnauthorized: true, ca: mine.cert })
    const env = { ...variablesOf(front.url, 'alice', 'demo'), OS_CACERT: client.write('ca.pem', valid.cert) }
    expect((await client.run({ env })).code).toBe(1)
    const files = { OS_CERT: client.write('me.pem', mine.cert), OS_KEY: client.write('me.key', mine.private) }
    expect(await client.token({ env: { ...env, ...files } })).toMatch(/^gAAAA/)
  })

  it('that cannot be read is named', async () => {
    const { client, alice } = suite()
    const { code, stderr } = await client.run({ env: { ...alice, OS_CACERT: '/nowhere/ca.pem' } })
    expect(code).toBe(1)
    expect(stderr).toContain('cacert names /nowhere/ca.pem, which cannot be read (ENOENT)')
  })
})

describe('a proxy', () => {
  it('of HTTPS_PROXY carries the request, unless NO_PROXY names the host', async () => {
    const { client } = suite()
    const front = await overTls(valid)
    const tunnels: string[] = []
    const proxy = createHttpServer().on('connect', (request, socket) => {
      tunnels.push(request.url ?? '')
      const { hostname, port } = new URL(`http://${request.url}`)
      const upstream = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on('error', () => socket.destroy())
      socket.on('error', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const cacert = client.write('ca.pem', valid.cert)
      const { port } = proxy.address() as AddressInfo
      const env = {
        ...variablesOf(front.url, 'alice', 'demo'),
        OS_CACERT: cacert,
        HTTPS_PROXY: `http://127.0.0.1:${port}`,
      }
      expect(await client.token({ env })).toMatch(/^gAAAA/)
      expect(tunnels).toEqual([new URL(front.url).host])
      expect(await client.token({ env: { ...env, NO_PROXY: '127.0.0.1' }, args: ['--force-refresh'] })).toMatch(
        /^gAAAA/,
      )
      expect(tunnels).toHaveLength(1)
    } finally {
      proxy.closeAllConnections()
      proxy.close()
    }
  })
})

describe('what is no answer of Keystone', () => {
  it.each([
    [
      'a redirect',
      (answer: FrontEnd) => reply(answer, 302, { Location: 'https://elsewhere.example/v3?x=secret' }),
      /redirects to https:\/\/elsewhere\.example\/v3: a redirect is not followed/,
    ],
    ['an error of the server', (answer: FrontEnd) => reply(answer, 503), /answers with status 503/],
    ['a page of a web server', (answer: FrontEnd) => reply(answer, 200), /answers, but not as Keystone does/],
    [
      'a page that is not there',
      (answer: FrontEnd) => reply(answer, 404),
      /there is no Identity API v3 at http.*\(variable OS_AUTH_URL\)/,
    ],
  ])('is explained: %s', async (_, prepare, message) => {
    const { client, alice, keystone } = suite()
    prepare(keystone)
    const { code, stdout, stderr } = await client.run({ env: alice })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(keystone.requests).toHaveLength(1)
  })

  it.each([
    ['nobody listens', 'http://127.0.0.1:1', 'refuses the connection'],
    ['the host is not found', 'http://keystone.invalid', 'a host name that is not found'],
    ['https is asked of http', '', 'does not speak TLS on this port'],
    ['the URL has no scheme', 'keystone.example:5000', 'is no http or https URL'],
    ['the URL is of v2', 'https://keystone.example/v2.0', 'ends in /v2.0'],
    ['the URL holds a password', 'https://u:pw-in-url@keystone.example', 'holds a user or password'],
  ])('is explained: %s', async (_, url, message) => {
    const { client, alice, keystone } = suite()
    const target = url === '' ? keystone.url.replace('http:', 'https:') : url
    const { code, stderr } = await client.run({ env: { ...alice, OS_AUTH_URL: target } })
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('pw-in-url')
  })

  it("of a clock that is wrong is warned of, by Keystone's own", async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice })
    keystone.answer = (_, response) => {
      const expires_at = new Date(Date.now() - 7_200_000).toISOString().replace(/Z$/, '000Z')
      const issued_at = new Date(Date.now() - 10_800_000).toISOString().replace(/Z$/, '000Z')
      const user = { name: 'alice', domain: { id: 'default', name: 'Default' } }
      const body = { token: { user, issued_at, expires_at } }
      const date = new Date(Date.now() - 10_800_000).toUTCString()
      response.writeHead(201, { 'X-Subject-Token': token, Date: date }).end(JSON.stringify(body))
    }
    const { code, stdout, stderr } = await client.run({ env: alice, args: ['--force-refresh'] })
    expect(code).toBe(0)
    expect(stderr).toContain('the clock of this machine is 180 minutes ahead of')
    // The token's life counts from now: kubectl does not run the plugin for each request.
    expect(Date.parse(JSON.parse(stdout).status.expirationTimestamp)).toBeGreaterThan(Date.now() + 50 * 60_000)
  })
})

function reply(front: FrontEnd, status: number, headers: Record<string, string> = {}): void {
  front.answer = (_, response) =>
    response.writeHead(status, { 'Content-Type': 'text/html', ...headers }).end('<p>Hello')
}
