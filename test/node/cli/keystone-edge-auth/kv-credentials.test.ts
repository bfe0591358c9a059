import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useCommandLine } from './command-line.ts'

// Credentials in the document in KV: the real wrangler with a local KV of its own.

const ROOT = resolve(import.meta.dirname, '../../../..')
const cli = useCommandLine()
const path = (name: string): string => join(cli.directory, name)
const digestOf = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`
const secretOf = (name: string): string => readFileSync(path(name), 'utf8')

beforeAll(() => {
  copyFileSync(join(ROOT, 'wrangler.toml'), path('wrangler.toml'))
  mkdirSync(path('node_modules/.bin'), { recursive: true })
})

/** The real wrangler, or a program in its place. */
function useWrangler(program?: string): void {
  rmSync(path('node_modules/.bin/wrangler'), { force: true })
  if (program === undefined) symlinkSync(join(ROOT, 'node_modules/.bin/wrangler'), path('node_modules/.bin/wrangler'))
  else writeFileSync(path('node_modules/.bin/wrangler'), program, { mode: 0o755 })
}

beforeEach(() => useWrangler())

describe('caller, in KV,', () => {
  it('adds, rotates without a gap, and finishes the rotation', async () => {
    const add = await cli.json(['caller', 'add', 'prod-1', '--local', '--yes', '--token-file', 'first'])
    const first = digestOf(secretOf('first'))
    expect(add).toEqual({ code: 0, value: { cluster: 'prod-1', credential: first, tokenFile: 'first' } })
    const rotated = await cli.run(['caller', 'rotate', 'prod-1', '--local', '--yes'])
    const second = digestOf(rotated.stdout.trim())
    expect([rotated.code, rotated.stderr]).toEqual([0, expect.stringContaining('Both tokens work.')])
    expect(rotated.stderr).not.toContain(rotated.stdout.trim())
    const finished = await cli.run(['caller', 'rotate', 'prod-1', '--local', '--finish', '--yes'])
    expect([finished.code, finished.stderr]).toEqual([0, expect.stringContaining(`-       "${first}"`)])
    expect((await cli.json(['caller', 'list', '--local'])).value).toEqual([
      { cluster: 'prod-1', kind: 'token', credential: second },
    ])
  }, 120_000)

  it('finishes the put when Ctrl-C comes meanwhile, and says so', async () => {
    const args = ['caller', 'add', 'stopped', '--local', '--yes', '--token-file', 'stopped-token']
    const { code, stderr } = await cli.interrupt('putting callers', args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/finishing first.*\n(.*\n)*stopped; callers is put, /)])
    expect((await cli.json(['caller', 'list', 'stopped', '--local'])).value).toMatchObject([
      { credential: digestOf(secretOf('stopped-token')) },
    ])
  }, 60_000)

  it('changes nothing when Ctrl-C comes before the put', async () => {
    const args = ['caller', 'add', 'early', '--local', '--yes', '--token-file', 'early-token']
    expect((await cli.interrupt('reading callers', args)).code).not.toBe(0)
    expect(existsSync(path('early-token'))).toBe(false)
  }, 60_000)

  it('keeps the token that is there when the put fails, and leaves no draft', async () => {
    cli.write('kept', 'the-token-in-use')
    useWrangler(
      '#!/usr/bin/env node\nif (process.argv.includes("get")) console.log("Value not found")\nelse { console.error("✘ [ERROR] Authentication error [code: 10000]"); process.exit(1) }\n',
    )
    const added = await cli.run(['caller', 'add', 'prod-1', '--remote', '--yes', '--token-file', 'kept'])
    expect([added.code, added.stderr]).toEqual([3, expect.stringContaining('Authentication error')])
    expect(secretOf('kept')).toBe('the-token-in-use')
    expect(readdirSync(cli.directory).filter((name) => name.startsWith('.kept'))).toEqual([])
  })

  it.each([
    ['a file and KV', ['--file', 'callers.json', '--local']],
    ['both KVs', ['--local', '--remote']],
    ['an address without KV', ['--url', 'https://example.com']],
    ['an address without a credential', ['--local', '--url', 'https://example.com']],
  ])('refuses %s', async (_, flags) => {
    expect((await cli.run(['caller', 'add', 'prod-1', ...flags])).code).toBe(2)
  })
})

describe('static-token, in KV,', () => {
  it('edits the document of a cluster', async () => {
    const place = ['--local', '--cluster', 'prod-1']
    const added = await cli.json(['static-token', 'add', 'ci-bot', ...place, '--yes', '--token-file', 'ci-token'])
    expect(added).toMatchObject({ code: 0, value: { digest: digestOf(secretOf('ci-token')) } })
    expect((await cli.json(['static-token', 'list', ...place])).value).toMatchObject([{ username: 'ci-bot' }])
  }, 120_000)
})
