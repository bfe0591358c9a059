import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdentityApi } from '../../../../src/dev/embedded-keystone/identity-api.ts'
import { logIn } from '../../../../src/dev/embedded-keystone/log-in.ts'
import { seedDemo } from '../../../../src/dev/embedded-keystone/seed.ts'
import { type ServedKeystone, serveEmbeddedKeystone } from '../../../../src/dev/embedded-keystone/serve.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
let keystone: ServedKeystone
let token: string
let url: string

beforeAll(async () => {
  keystone = await serveEmbeddedKeystone({ port: 0 })
  url = keystone.url
  const connection = { url, fetch }
  await seedDemo({ ...connection, adminPassword: 'secret' })
  const admin = await logIn(connection, { userName: 'admin', domain: 'default', password: 'secret', scope: 'system' })
  const project = await createIdentityApi(connection, admin.token).find('projects', 'demo', 'default')
  const alice = { userName: 'alice', domain: 'default', password: 'alice', scope: { project: project?.id ?? '' } }
  token = (await logIn(connection, alice)).token
  cli.write('token', `${token}\n`)
  cli.write('mapping.json', { rules: [{ role: 'member', project: 'demo', groups: ['members'] }] })
  cli.write('policy.json', [
    {
      resource: { verbs: ['get'], resources: ['pods'], version: '*', namespace: '*' },
      match: [{ type: 'role', values: ['member'] }],
    },
  ])
})
afterAll(() => keystone.close())

describe('explain --token-file', () => {
  it('says who a real token is by a mapping', async () => {
    const args = ['mapping', 'explain', 'mapping.json', '--token-file', 'token', '--keystone-url', url]
    const { code, stdout, stderr } = await cli.run([...args, '-o', 'json'])
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^the token: user alice of domain default, project demo, /),
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      authenticated: true,
      user: { username: 'alice', groups: expect.arrayContaining(['members', 'developers']) },
      rules: [{ path: 'rules[0]', matched: true }],
    })
    expect(stdout + stderr).not.toContain(token)
  })

  it('says what a real token may do by a policy, with the default user mapping', async () => {
    const args = ['policy', 'explain', 'policy.json', '--token-file', 'token', '--keystone-url', `${url}/`]
    const asked = ['--verb', 'get', '--resource', 'pods', '-n', 'default']
    expect((await cli.json([...args, ...asked])).value).toMatchObject({ decision: 'allow' })
  })

  it.each([
    ['no address', ['--token-file', 'token'], 2],
    ['an address alone', ['--keystone-url', 'https://keystone.example.com/v3'], 2],
    ['http to another machine', ['--token-file', 'token', '--keystone-url', 'http://192.0.2.1/v3'], 2],
    ['other facts beside it', ['--token-file', 'token', '--keystone-url', 'https://[::1]/v3', '--user', 'a'], 2],
    ['nothing at the address', ['--token-file', 'token', '--keystone-url', 'http://127.0.0.1:9/v3'], 3],
  ])('ends for %s', async (_, flags, code) => {
    const outcome = await cli.run(['mapping', 'explain', 'mapping.json', ...flags])
    expect([outcome.code, outcome.stdout]).toEqual([code, ''])
    expect(outcome.stderr).not.toContain(token)
  })

  it('ends with 1 for a token that Keystone refuses', async () => {
    const flags = ['--token-file', cli.write('other', 'f'.repeat(32)), '--keystone-url', url]
    const { code, stderr } = await cli.run(['mapping', 'explain', 'mapping.json', ...flags])
    expect([code, stderr]).toEqual([1, 'error: Keystone does not know the token, or no longer\n'])
  })
})
