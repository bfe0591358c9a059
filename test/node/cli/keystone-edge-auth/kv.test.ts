import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addVersion, readHistory } from '../../../../src/cli/keystone-edge-auth/kv/history.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const path = (name: string): string => join(cli.directory, name)

/** Stands in for wrangler: the same commands, output and exit codes as 4.156 has, and values in one file. */
const WRANGLER = `#!/usr/bin/env node
const fs = require('node:fs')
const read = () => (fs.existsSync('kv.json') ? JSON.parse(fs.readFileSync('kv.json', 'utf8')) : {})
const write = (values) => fs.writeFileSync('kv.json', JSON.stringify({ ...read(), ...values }))
const [kv, what, verb, subject, ...flags] = process.argv.slice(2)
if (kv !== 'kv' || !flags.includes('--binding') || !flags.some((flag) => flag === '--local' || flag === '--remote')) process.exit(9)
if (flags.includes('--remote')) {
  console.error('\\u001b[31m✘ [ERROR] You are not logged in.\\u001b[0m')
  process.exit(1)
}
if (what === 'key' && verb === 'get' && flags.includes('--text')) {
  const value = read()[subject]
  console.log(value === undefined ? 'Value not found' : value)
  if (subject === 'mapping' && fs.existsSync('meanwhile.json')) {
    write(JSON.parse(fs.readFileSync('meanwhile.json', 'utf8')))
    fs.unlinkSync('meanwhile.json')
  }
} else if (what === 'bulk' && verb === 'put') {
  write(Object.fromEntries(JSON.parse(fs.readFileSync(subject, 'utf8')).map(({ key, value }) => [key, value])))
  console.log('Success!')
} else process.exit(9)
`

const stored = (): Record<string, string> => JSON.parse(readFileSync(path('kv.json'), 'utf8'))

beforeEach(() => {
  mkdirSync(path('node_modules/.bin'), { recursive: true })
  writeFileSync(path('node_modules/.bin/wrangler'), WRANGLER, { mode: 0o755 })
})
afterEach(() => {
  for (const name of ['kv.json', 'meanwhile.json']) rmSync(path(name), { force: true })
})

describe('put', () => {
  const before = '{"rules": [{"role": "member", "groups": ["a"]}]}'

  it('checks, shows who gains and loses, keeps the former version and puts the text of the file', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ mapping: before }))
    const after = '{"rules": [{"role": "member", "groups": ["b"]}]}\n'
    const file = cli.write('mapping.json', after)
    const { code, stdout, stderr } = await cli.run(['mapping', 'put', file, '--local', '--yes', '-o', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      key: 'mapping',
      digest: digestOf(after),
      previous: digestOf(before),
      gained: [{ principal: 'roles member', group: 'b' }],
      lost: [{ principal: 'roles member', group: 'a' }],
    })
    expect(stderr).toContain('loses roles member: group a')
    expect(stored().mapping).toBe(after)
    expect(JSON.parse(stored()['history/mapping'] ?? '')).toMatchObject([{ digest: digestOf(before), text: before }])
  })

  it('puts nothing without a yes, and nothing with faults', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ mapping: before }))
    expect((await cli.run(['mapping', 'put', cli.write('m.json', {}), '--local'])).code).toBe(2)
    expect((await cli.run(['mapping', 'put', cli.write('m.json', { x: 1 }), '--local', '--yes'])).code).toBe(1)
    expect(stored()).toEqual({ mapping: before })
  })

  it('refuses when somebody edits the document meanwhile', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ mapping: before }))
    writeFileSync(path('meanwhile.json'), JSON.stringify({ mapping: '{"deny": {"users": ["eve"]}}' }))
    const { code, stderr } = await cli.run(['mapping', 'put', cli.write('m.json', {}), '--local', '--yes'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('edited meanwhile; nothing was put')])
    expect(stored()).toEqual({ mapping: '{"deny": {"users": ["eve"]}}' })
  })

  it('converts YAML, and puts the document of one cluster', async () => {
    const file = cli.write('policy.yaml', 'policies: []\n')
    expect((await cli.run(['policy', 'put', file, '--local', '--cluster', 'prod-1', '--yes'])).code).toBe(0)
    expect(JSON.parse(stored()['clusters/prod-1/policy'] ?? '')).toEqual({ policies: [] })
  })

  it('puts "shared" for a cluster, and for no other document', async () => {
    const file = cli.write('shared.json', '"shared"\n')
    const put = ['mapping', 'put', file, '--local', '--yes']
    expect((await cli.run(put)).code).toBe(1)
    expect((await cli.run([...put, '--cluster', 'prod-1'])).code).toBe(0)
    expect(stored()).toEqual({ 'clusters/prod-1/mapping': '"shared"\n' })
  })

  it('says that nothing is to do, with 0', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ mapping: '{}' }))
    const { code, stderr } = await cli.run(['mapping', 'put', cli.write('m.json', '{}'), '--local'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('mapping is this text already\n')])
  })

  it('shows no token that stands in place of its digest', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ callers: '{"a": {"credentials": ["hunter2"]}}' }))
    const { code, stdout, stderr } = await cli.run(['callers', 'put', cli.write('c.json', {}), '--local', '--yes'])
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain('hunter2')
  })

  it('ends with 3 where KV cannot be reached, and with 2 where it is not said which', async () => {
    const file = cli.write('m.json', {})
    const { code, stderr } = await cli.run(['mapping', 'put', file, '--remote', '--yes'])
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining('You are not logged in.\nhint: log in with npx wrangler login'),
    ])
    expect((await cli.run(['mapping', 'put', file])).code).toBe(2)
    expect((await cli.run(['callers', 'put', file, '--local', '--cluster', 'a'])).code).toBe(2)
    const token = ['--caller-token-file', cli.write('caller-token', 'x')]
    for (const url of ['http://example.com', 'http://127.0.0.1.example.com'])
      expect((await cli.run(['mapping', 'put', file, '--local', '--yes', '--url', url, ...token])).code).toBe(2)
    expect(existsSync(path('kv.json'))).toBe(false)
  })

  it('waits until /readyz shows the digest', async () => {
    let asked = 0
    const server = createServer((request, response) => {
      asked += 1
      const known = request.headers.authorization === 'Bearer caller-secret' && asked > 1
      response.end(JSON.stringify({ documents: { mapping: { digest: known ? digestOf('{}') : null } } }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const token = cli.write('caller-token', 'caller-secret\n')
    const wait = ['--url', `http://127.0.0.1:${port}`, '--caller-token-file', token]
    const put = await cli.run(['mapping', 'put', cli.write('m.json', '{}'), '--local', '--yes', ...wait])
    server.close()
    expect([put.code, put.stdout]).toEqual([0, `put mapping, ${digestOf('{}')}, which is in force\n`])
    expect(put.stdout + put.stderr).not.toContain('caller-secret')
  })
})

describe('history and undo', () => {
  it('list former versions and put one again', async () => {
    for (const group of ['a', 'b', 'c']) {
      const file = cli.write('m.json', { rules: [{ role: 'member', groups: [group] }] })
      expect((await cli.run(['mapping', 'put', file, '--local', '--yes'])).code).toBe(0)
    }
    const listed = await cli.json(['mapping', 'history', '--local'])
    expect(listed.value).toMatchObject([{ version: 1 }, { version: 2 }])
    expect((await cli.run(['mapping', 'undo', '2', '--local', '--yes'])).code).toBe(0)
    expect(stored().mapping).toContain('"a"')
    expect((await cli.run(['mapping', 'undo', '--local', '--yes'])).code).toBe(0)
    expect(stored().mapping).toContain('"c"')
    expect((await cli.run(['mapping', 'undo', '9', '--local', '--yes'])).code).toBe(1)
    expect((await cli.run(['mapping', 'undo', 'x', '--local'])).code).toBe(2)
    expect((await cli.json(['policy', 'history', '--local'])).value).toEqual([])
  })
})

describe('live', () => {
  it('is the document in KV, for explain and diff', async () => {
    writeFileSync(path('kv.json'), JSON.stringify({ mapping: '{"rules": [{"role": "member", "groups": ["a"]}]}' }))
    const explained = await cli.json(['mapping', 'explain', 'live', '--local', '--user', 'alice', '--role', 'member'])
    expect(explained.value).toMatchObject({ user: { username: 'alice' }, rules: [{ matched: true }] })
    const flags = ['--local', '--user', 'alice', '--role', 'member']
    expect((await cli.json(['mapping', 'explain', '--live', ...flags])).value).toEqual(explained.value)
    const compared = await cli.json(['mapping', 'diff', 'live', cli.write('m.json', {}), '--local'])
    expect(compared).toMatchObject({ code: 1, value: { gained: [], lost: [{ group: 'a' }] } })
    expect((await cli.run(['mapping', 'diff', 'live', 'm.json'])).code).toBe(2)
    expect((await cli.run(['policy', 'diff', 'live', 'm.json', '--local'])).code).toBe(1)
    expect((await cli.run(['policy', 'diff', 'live', 'm.json', '--remote'])).code).toBe(3)
  })
})

describe('addVersion()', () => {
  const version = (text: string) => ({ replaced: '2026-01-01T00:00:00Z', digest: digestOf(text), text })

  it('keeps 20 versions, and at most 8 Mi characters beside the newest', () => {
    const many = Array.from({ length: 30 }, (_, index) => version(String(index))).reduceRight(
      (history, one) => addVersion(history, one),
      [] as readonly ReturnType<typeof version>[],
    )
    expect(many.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)))
    const large = version('x'.repeat(4 * 1024 * 1024))
    expect(addVersion([large, large], large)).toHaveLength(2)
  })

  it('and readHistory() refuses what holds no versions', () => {
    expect(readHistory(undefined)).toEqual({ ok: true, value: [] })
    for (const text of ['x', '{}', '[1]']) expect(readHistory(text).ok).toBe(false)
  })
})
