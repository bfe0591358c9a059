import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { REASONS } from '../../../../src/cli/keystone-edge-auth/tail/reasons.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const review = (more: object): string =>
  JSON.stringify({
    ...{ event: 'review', kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', decision: 'allow' },
    ...{ reason: 'authenticated', cluster: 'prod-1', keystoneCalls: 0, keystoneMs: 0, leftOut: 0, repeats: 0, ...more },
  })
const LOG = [
  'npm start: ready',
  review({ user: 'alice', source: 'keystone', keystoneMs: 45, fingerprint: '0123456789ab', repeats: 3 }),
  review({ decision: 'deny', reason: 'rejected', source: 'keystone', cluster: 'prod-2' }),
  review({ kind: 'SubjectAccessReview', decision: 'no_opinion', reason: 'no_match', user: 'bob' }),
  '{"event": "caller", "reason": "wrong_cluster", "cluster": "prod-1", "pathCluster": "prod-2", "address": "192.0.2.7"}',
  '{"event": "error", "code": "settings_faulty"}',
  '{"event": "review"}',
  '{not JSON',
].join('\n')

describe('tail --file', () => {
  it('prints one line for each review, refused caller and error, and skips all else', async () => {
    expect(await cli.run(['tail', '--file', '-'], { stdin: LOG })).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'prod-1 allow alice: authenticated (login, from keystone, 45 ms at Keystone, token 0123456789ab), and 3 more',
        'prod-2 deny nobody: rejected (login, from keystone)',
        'prod-1 no_opinion bob: no_match (request)',
        'caller refused prod-1: wrong_cluster, path of prod-2 from 192.0.2.7',
        'error settings_faulty',
        '',
      ].join('\n'),
    })
  })

  it.each([
    [['--cluster', 'prod-2'], ['prod-2 deny']],
    [['--user', 'bob'], ['prod-1 no_opinion bob']],
    [['--denied'], ['prod-2 deny', 'caller refused', 'error settings_faulty']],
  ])('keeps what %j asks for', async (flags, begins) => {
    const { stdout } = await cli.run(['tail', '--file', cli.write('log', LOG), ...flags])
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line, index) => line.startsWith(begins[index] ?? '?'))).toEqual(begins.map(() => true))
  })

  it('explains reasons, and shows what hides in a name as nothing', async () => {
    const log = [
      review({ decision: 'deny', reason: 'rejected' }),
      review({ reason: 'policy [0].resource_permissions["*/pods"]', user: 'al\u202eice\u001b[31m' }),
      review({ decision: 'unknown', reason: 'basic_guessing' }),
      review({ reason: 'new_reason' }),
    ].join('\n')
    const { stdout } = await cli.run(['tail', '--file', '-', '--explain'], { stdin: log })
    expect(stdout).toContain('  Keystone does not know the token, or no longer\n  what to do: issue a new one\n')
    expect(stdout).toContain('allow al ice [31m: policy [0].resource_permissions["*/pods"]')
    expect(stdout).toContain('  the HTTP Basic service cannot be asked')
    expect(stdout).toContain('  a reason that this release does not know')
  })

  it('prints the records with -o jsonl', async () => {
    const { stdout } = await cli.run(['tail', '--file', '-', '-o', 'jsonl', '--user', 'alice'], { stdin: LOG })
    expect(JSON.parse(stdout)).toMatchObject({ event: 'review', user: 'alice', repeats: 3 })
  })

  it('ends with 2 for a file that is missing or a directory', async () => {
    mkdirSync(join(cli.directory, 'directory'))
    for (const file of ['missing', 'directory']) expect((await cli.run(['tail', '--file', file])).code).toBe(2)
  })
})

describe('tail', () => {
  const event = { eventTimestamp: 1_763_816_400_000, logs: [{ message: [review({ user: 'alice' })] }], outcome: 'ok' }
  beforeAll(() => mkdirSync(join(cli.directory, 'node_modules/.bin'), { recursive: true }))
  const useWrangler = (body: string): void =>
    writeFileSync(join(cli.directory, 'node_modules/.bin/wrangler'), `#!/usr/bin/env node\n${body}\n`, { mode: 0o755 })

  it('reads the events of wrangler tail, which spread over lines', async () => {
    useWrangler(
      `if (process.argv.slice(2).join(' ') === 'tail --format json') console.log(${JSON.stringify(JSON.stringify(event, null, 2))})`,
    )
    const { code, stdout } = await cli.run(['tail'])
    expect([code, stdout]).toEqual([0, '2025-11-22T13:00:00.000Z prod-1 allow alice: authenticated (login)\n'])
  })

  it('ends with 3 where wrangler is not logged in', async () => {
    useWrangler("console.error('✘ [ERROR] You are not logged in.'); process.exit(1)")
    const { code, stderr } = await cli.run(['tail'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('the log cannot be read: wrangler says: You are not')])
  })
})

describe('docs/operations.md', () => {
  it('has the table of reasons that tail --explain uses', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/operations.md'), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` +\| `([^`]+)` +\| (.*?) +\| (.*?) *\|$/gm)].slice(1)
    // The page marks code, and links from its own folder.
    const plain = (text = ''): string => text.replace(/\[[^\]]*\]\(([^)]*)\)/g, 'docs/$1').replaceAll('`', '')
    expect(
      rows.map(([, decision, reason, meaning, remedy]) => ({
        decision,
        reason,
        meaning: plain(meaning),
        remedy: plain(remedy),
      })),
    ).toEqual(REASONS)
  })
})
