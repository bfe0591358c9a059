import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readVar, setVar } from '../../../../src/cli/keystone-edge-auth/setup/wrangler-toml.ts'
import { useCommandLine } from './command-line.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
const cli = useCommandLine()
const path = (name: string): string => join(cli.directory, name)
const read = (name: string): string => readFileSync(path(name), 'utf8')
const TOML = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
const INIT = ['init', '--keystone-url', 'https://keystone.example.com/v3/', '--cluster', 'prod-1']

beforeEach(() => {
  for (const name of readdirSync(cli.directory)) rmSync(path(name), { recursive: true })
  copyFileSync(join(ROOT, 'wrangler.toml'), path('wrangler.toml'))
  mkdirSync(path('node_modules/.bin'), { recursive: true })
})

/** A wrangler that writes down what it is called with, and fails for the commands that contain a text. */
function useFakeWrangler(failing = 'nothing'): void {
  const program = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require('node:fs')
const args = process.argv.slice(2).join(' ')
appendFileSync('calls', args.replace(/ \\S*values.json/, '') + '\\n')
if (args === 'secret put CACHE_KEYS') appendFileSync('secret', readFileSync(0))
if (args.includes(${JSON.stringify(failing)})) { console.error('✘ [ERROR] You are not logged in.'); process.exit(1) }
if (args === 'secret list') { console.error('✘ [ERROR] Worker "x" not found. [code: 10007]'); process.exit(1) }
if (args === 'deploy') setTimeout(() => undefined, 500), console.log('Deployed x\\n  https://doctor.invalid\\n')
if (args.includes('key get')) console.log('Value not found')
`
  writeFileSync(path('node_modules/.bin/wrangler'), program, { mode: 0o755 })
}

describe('init', () => {
  it('makes secrets of mode 0600, settings and a first mapping, and shows what is left to run', async () => {
    const { code, stdout, stderr } = await cli.run([...INIT, '--home-domain', 'ff369be2cbb14ee9bb775c0bcf2a1061'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('npx wrangler secret put CACHE_KEYS < cache-keys\n  npx wrangler deploy\n')
    expect(stdout).toContain('doctor --url https://<your worker> --caller-token-file caller-token --cluster prod-1')
    for (const name of ['cache-keys', 'caller-token']) {
      expect(statSync(path(name)).mode & 0o777).toBe(0o600)
      expect(stdout).not.toContain(read(name))
    }
    const [key] = JSON.parse(read('cache-keys'))
    expect(Buffer.from(key, 'base64')).toHaveLength(32)
    expect(read('mapping.json')).toBe('{}\n')
    expect(read('wrangler.toml')).toBe(
      TOML.replace('KEYSTONE_URL = ""', 'KEYSTONE_URL = "https://keystone.example.com/v3"').replace(
        '# HOME_DOMAIN = "default"',
        'HOME_DOMAIN = "ff369be2cbb14ee9bb775c0bcf2a1061"',
      ),
    )
  })

  it('changes nothing when it is called again, and asks before it changes a setting', async () => {
    await cli.run(INIT)
    const before = readdirSync(cli.directory).map((name) => [name, statSync(path(name)).mtimeMs])
    expect((await cli.json(INIT)).value).toMatchObject({
      files: ['wrangler.toml', 'cache-keys', 'caller-token', 'mapping.json'].map((name) => ({
        path: name,
        change: 'kept',
      })),
    })
    const other = ['init', '--keystone-url', 'https://other.example.com/v3', '--cluster', 'prod-1']
    const refused = await cli.run(other)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('give --yes')])
    expect(readdirSync(cli.directory).map((name) => [name, statSync(path(name)).mtimeMs])).toEqual(before)
    expect((await cli.run([...other, '--yes'])).code).toBe(0)
    expect(readVar(read('wrangler.toml'), 'KEYSTONE_URL')).toBe('https://other.example.com/v3')
  })

  it.each([
    ['http to another machine', ['--keystone-url', 'http://keystone.example.com/v3', '--cluster', 'a']],
    ['an address without /v3', ['--keystone-url', 'https://keystone.example.com', '--cluster', 'a']],
    ['a domain by name', [...INIT.slice(1), '--home-domain', 'Users']],
    ['a name that no cluster has', ['--keystone-url', 'https://keystone.example.com/v3', '--cluster', 'Prod']],
    ['no cluster and no terminal', ['--keystone-url', 'https://keystone.example.com/v3']],
  ])('writes nothing for %s', async (_, flags) => {
    expect((await cli.run(['init', ...flags])).code).toBe(2)
    expect(readdirSync(cli.directory)).toEqual(['node_modules', 'wrangler.toml'])
  })

  it('writes nothing for a directory in place of a file, or keys that are none', async () => {
    mkdirSync(path('caller-token'))
    expect((await cli.run(INIT)).code).toBe(2)
    rmSync(path('caller-token'), { recursive: true })
    cli.write('cache-keys', 'hunter2')
    const { code, stderr } = await cli.run(INIT)
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('hunter2')])
    expect(read('wrangler.toml')).toBe(TOML)
  })

  it('--run deploys with secrets over standard input, puts the first documents, and ends by doctor', async () => {
    useFakeWrangler()
    const { code, stdout } = await cli.run([...INIT, '--run', '--yes'])
    expect([code, stdout]).toEqual([1, expect.stringContaining('✗ dns: doctor.invalid has no address')])
    expect(read('secret')).toBe(read('cache-keys'))
    const calls = read('calls').split('\n')
    expect(calls.slice(0, 3)).toEqual(['secret list', 'secret put CACHE_KEYS', 'deploy'])
    expect(calls.filter((call) => call === 'kv bulk put --binding CONFIG --remote')).toHaveLength(2)
    expect(read('calls')).not.toContain(read('caller-token'))
  })

  it('--run says what is done and what is left when wrangler fails', async () => {
    useFakeWrangler('deploy')
    const { code, stderr } = await cli.run([...INIT, '--run', '--yes'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('hint: log in with npx wrangler login')])
    expect(stderr).toContain('done: npx wrangler secret put CACHE_KEYS < cache-keys\nleft: npx wrangler deploy; ')
  })

  it('--run finishes the step at Ctrl-C, and says what is done and what is left', async () => {
    useFakeWrangler()
    const { code, stderr } = await cli.interrupt('running: npx wrangler deploy', [...INIT, '--run', '--yes'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('stopped\ndone: npx wrangler secret put')])
    expect(stderr).toMatch(/left: keystone-edge-auth caller add prod-1 --remote --digest sha256:[0-9a-f]{64}; /)
    expect(read('calls')).toMatch(/deploy\n$/)
  })

  it('--local --run puts the first documents into the local KV, and keeps them when called again', async () => {
    symlinkSync(join(ROOT, 'node_modules/.bin/wrangler'), path('node_modules/.bin/wrangler'))
    const local = [
      'init',
      '--local',
      '--keystone-url',
      'http://127.0.0.1:5000/v3',
      '--cluster',
      'lab',
      '--run',
      '--yes',
    ]
    const first = await cli.run(local)
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('made .dev.vars\n')])
    expect(statSync(path('.dev.vars')).mode & 0o777).toBe(0o600)
    const digest = createHash('sha256').update(read('caller-token')).digest('hex')
    expect((await cli.json(['caller', 'list', '--local'])).value).toEqual([
      { cluster: 'lab', kind: 'token', credential: `sha256:${digest}` },
    ])
    const again = await cli.run(local)
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('has the credential of lab already')])
    expect(again.stderr).not.toContain('putting')
    expect(read('wrangler.toml')).toBe(TOML)
  }, 120_000)
})

describe('setVar()', () => {
  it('replaces the line, else the comment, else adds a line or the table', () => {
    expect(setVar('[vars]\nA = "1" # x\nB = "2"\n', 'A', '3')).toBe('[vars]\nA = "3"\nB = "2"\n')
    expect(setVar('[vars]\n# A = "1"\n[other]\nA = "2"\n', 'A', '3')).toBe('[vars]\nA = "3"\n[other]\nA = "2"\n')
    expect(setVar('x = 1\n[vars]\n', 'A', '3')).toBe('x = 1\n[vars]\nA = "3"\n')
    expect(setVar('x = 1\n', 'A', '3')).toBe('x = 1\n\n[vars]\nA = "3"\n')
  })
})
