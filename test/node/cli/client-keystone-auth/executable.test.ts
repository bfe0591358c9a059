import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useClient } from './client-suite.ts'

const EXECUTABLES = resolve(import.meta.dirname, '../../../../dist/executables')

// `npm run test:executables` builds them; the Node inside has to be downloaded.
describe.runIf(process.env.EXECUTABLES_UNDER_TEST !== undefined)('the single executable', () => {
  const suite = useClient([join(EXECUTABLES, 'client-keystone-auth-linux-x64')])

  it('logs in, and serves the cached token to the next parent process', async () => {
    const { client, alice, keystone } = suite()
    const token = await client.token({ env: alice })
    expect(token).toMatch(/^gAAAA/)
    keystone.requests.length = 0
    expect(await client.token({ env: alice })).toBe(token)
    expect(keystone.requests).toEqual([])
  })

  it('reads clouds.yaml', async () => {
    const { client, keystone } = suite()
    const auth = `{auth_url: '${keystone.url}', username: alice, password: alice, project_name: demo, domain_name: Default}`
    client.write('.config/openstack/clouds.yaml', `clouds: {demo: {auth: ${auth}}}`)
    expect(await client.token({ env: { OS_CLOUD: 'demo' } })).toMatch(/^gAAAA/)
    expect((await client.run({ args: ['status'] })).stdout).toContain('project demo')
  })

  it.each([
    ['NODE_OPTIONS', { NODE_OPTIONS: '--import=data:text/javascript,process.stderr.write(`foreign code`)' }, []],
    ['NODE_OPTIONS with --require', { NODE_OPTIONS: '--require=./foreign.cjs' }, []],
    ['a flag of Node', {}, ['--node-options=--require=./foreign.cjs']],
  ])('runs no foreign code by %s', async (_, env, args) => {
    const { client, alice } = suite()
    client.write('foreign.cjs', 'process.stderr.write("foreign code")')
    const { stderr, stdout } = await client.run({ env: { ...alice, ...env }, args })
    expect(stderr).not.toContain('foreign code')
    if (args.length === 0) expect(JSON.parse(stdout).status.token).toMatch(/^gAAAA/)
  })

  it('reads no .env file of the working directory', async () => {
    const { client, alice, keystone } = suite()
    client.write('project/.env', 'OS_AUTH_URL=http://127.0.0.1:9\nNODE_OPTIONS=--require=./foreign.cjs\n')
    client.write('project/foreign.cjs', 'process.stderr.write("foreign code")')
    expect(await client.token({ env: alice, cwd: 'project' })).toMatch(/^gAAAA/)
    expect(keystone.requests).toHaveLength(1)
  })

  it('is there for Windows too', () => {
    expect(readFileSync(join(EXECUTABLES, 'client-keystone-auth-win-x64.exe')).subarray(0, 2).toString()).toBe('MZ')
  })
})
