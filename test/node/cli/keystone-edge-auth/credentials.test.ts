import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { finishRotation, removeCaller } from '../../../../src/cli/keystone-edge-auth/credentials/edit-callers.ts'
import { removeStaticToken } from '../../../../src/cli/keystone-edge-auth/credentials/edit-static-tokens.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const digestOf = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`
const read = (name: string) => JSON.parse(readFileSync(join(cli.directory, name), 'utf8'))
const [A, B, C] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`)

describe('caller', () => {
  it('add makes a token, shows it once and lists its digest', async () => {
    const { code, stdout, stderr } = await cli.run(['caller', 'add', 'prod-1', '--file', 'shown.json'])
    expect(code).toBe(0)
    const token = stdout.trim()
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(stderr).not.toContain(token)
    expect(read('shown.json')).toEqual({ 'prod-1': { credentials: [digestOf(token)] } })
    expect((await cli.run(['callers', 'check', 'shown.json'])).code).toBe(0)
  })

  it('add writes the token to a file of mode 0600, and replaces no other one', async () => {
    const args = ['caller', 'add', 'prod-1', '--file', 'written.json', '--token-file', 'token']
    const { code, value } = await cli.json(args)
    const token = readFileSync(join(cli.directory, 'token'), 'utf8')
    expect([code, value]).toEqual([0, { cluster: 'prod-1', credential: digestOf(token), tokenFile: 'token' }])
    expect(statSync(join(cli.directory, 'token')).mode & 0o777).toBe(0o600)
    expect((await cli.run(args)).code).toBe(2)
    expect(readFileSync(join(cli.directory, 'token'), 'utf8')).toBe(token)
    expect(read('written.json')['prod-1'].credentials).toHaveLength(1)
  })

  it('add --certificate lists the fingerprint that Cloudflare shows', async () => {
    const { cert } = await generate([{ name: 'commonName', value: 'prod-1' }])
    cli.write('client.crt', cert)
    const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()
    const args = ['caller', 'add', 'prod-1', '--file', 'certificates.json', '--certificate', 'client.crt']
    expect((await cli.json(args)).value).toEqual({ cluster: 'prod-1', credential: `cert:${fingerprint}` })
    cli.write('none.crt', 'x')
    expect((await cli.run([...args.slice(0, -1), 'none.crt'])).code).toBe(1)
  })

  it('add --digest lists a token that is there already', async () => {
    const args = ['caller', 'add', 'prod-1', '--file', 'digest.json', '--digest']
    expect((await cli.json([...args, A ?? ''])).value).toEqual({ cluster: 'prod-1', credential: A })
    const refused = await cli.run([...args, 'hunter2'])
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([1, expect.not.stringContaining('hunter2')])
    expect((await cli.run([...args, A ?? '', '--token-file', 'x'])).code).toBe(2)
    expect(read('digest.json')).toEqual({ 'prod-1': { credentials: [A] } })
  })

  it('rotate keeps the old token until --finish', async () => {
    const file = cli.write('rotated.json', {
      'prod-1': { credentials: [A, `cert:${'f'.repeat(64)}`], own: ['mapping'] },
    })
    const { value } = await cli.json(['caller', 'rotate', 'prod-1', '--file', file])
    expect(read(file)['prod-1'].credentials).toHaveLength(3)
    expect((await cli.run(['caller', 'rotate', 'prod-1', '--file', file, '--finish'])).code).toBe(2)
    expect((await cli.run(['caller', 'rotate', 'prod-1', '--file', file, '--finish', '--yes'])).code).toBe(0)
    expect(value).toMatchObject({ credential: read(file)['prod-1'].credentials[1] })
    expect(read(file)).toEqual({
      'prod-1': { credentials: [`cert:${'f'.repeat(64)}`, expect.stringMatching(/^sha256:/)], own: ['mapping'] },
    })
    const missing = await cli.run(['caller', 'rotate', 'prod-2', '--file', file])
    expect([missing.code, missing.stderr]).toEqual([1, 'error: there is no cluster prod-2\n'])
  })

  it('list and remove work by cluster and by the beginning of a digest', async () => {
    const file = cli.write('listed.json', { 'prod-1': { credentials: [A, B] }, 'prod-2': { credentials: [C] } })
    expect((await cli.json(['caller', 'list', '--file', file])).value).toEqual([
      { cluster: 'prod-1', kind: 'token', credential: A },
      { cluster: 'prod-1', kind: 'token', credential: B },
      { cluster: 'prod-2', kind: 'token', credential: C },
    ])
    const remove = ['caller', 'remove', 'prod-1', '--file', file, '--credential', 'aaaa']
    expect((await cli.run(remove)).code).toBe(2)
    expect((await cli.run([...remove, '--yes'])).code).toBe(0)
    expect((await cli.run(['caller', 'remove', 'prod-2', '--file', file, '--yes'])).code).toBe(0)
    expect(read(file)).toEqual({ 'prod-1': { credentials: [B] } })
  })

  it.each([
    ['a name that no cluster has', ['add', 'Prod'], '{}', 2],
    ['YAML', ['add', 'a', '--file', 'x.yaml'], '{}', 2],
    ['a document with faults', ['add', 'a', '--file', 'faulty.json'], '{"a": {"credentials": ["hunter2"]}}', 1],
  ])('changes nothing for %s', async (_, args, text, code) => {
    cli.write('faulty.json', text)
    const outcome = await cli.run(['caller', ...args])
    expect([outcome.code, outcome.stdout]).toEqual([code, ''])
    expect(outcome.stderr).not.toContain('hunter2')
    expect(readFileSync(join(cli.directory, 'faulty.json'), 'utf8')).toBe(text)
  })
})

describe('static-token', () => {
  it('add makes a token whose digest names the user, list and remove work by user', async () => {
    const file = ['--file', 'static.json']
    const { code, value } = await cli.json([
      'static-token',
      'add',
      'ci-bot',
      ...file,
      '--group',
      'ci',
      '--expires',
      '90d',
    ])
    expect(code).toBe(0)
    expect(value).toMatchObject({ username: 'ci-bot', token: expect.stringMatching(/^[\w-]{43}$/) })
    const [entry] = read('static.json').static
    expect(value).toMatchObject({ digest: entry.token })
    expect(entry).toMatchObject({ username: 'ci-bot', groups: ['ci'] })
    expect(Date.parse(entry.expires) - Date.now()).toBeGreaterThan(89 * 86_400_000)
    expect((await cli.run(['authenticators', 'check', 'static.json'])).code).toBe(0)
    expect((await cli.json(['static-token', 'list', ...file])).value).toEqual([entry])
    expect((await cli.run(['static-token', 'remove', 'nobody', ...file, '--yes'])).code).toBe(1)
    expect((await cli.run(['static-token', 'remove', 'ci-bot', ...file, '--yes'])).code).toBe(0)
    expect(read('static.json')).toEqual({ static: [] })
  })

  it.each([
    ['a system: group', ['a', '--group', 'system:masters'], 2],
    ['a system: user', ['system:a'], 1],
    ['an end that is no time', ['a', '--expires', 'tomorrow'], 1],
  ])('add refuses %s and writes nothing', async (_, args, code) => {
    const outcome = await cli.run(['static-token', 'add', ...args, '--file', 'refused.json', '--token-file', 'refused'])
    expect(outcome.code).toBe(code)
    for (const name of ['refused.json', 'refused']) expect(() => statSync(join(cli.directory, name))).toThrow('ENOENT')
  })
})

describe('the edits', () => {
  it('removeCaller() refuses a beginning that several credentials have', () => {
    const document = { a: { credentials: [`sha256:1${'0'.repeat(63)}`, `sha256:1${'1'.repeat(63)}`] } }
    expect(removeCaller(document, 'a', '1')).toMatchObject({ ok: false })
    expect(removeCaller(document, 'b')).toMatchObject({ ok: false })
  })

  it('finishRotation() refuses a cluster with one token', () => {
    expect(finishRotation({ a: { credentials: [A] } }, 'a')).toMatchObject({ ok: false })
  })

  it('removeStaticToken() takes a digest where a user has several tokens', () => {
    const document = { static: [A, B].map((token) => ({ token: token ?? '', username: 'a' })) }
    expect(removeStaticToken(document, 'a')).toMatchObject({ ok: false })
    expect(removeStaticToken(document, 'bbbbbbbb')).toEqual({
      ok: true,
      value: { static: [{ token: A, username: 'a' }] },
    })
  })
})
