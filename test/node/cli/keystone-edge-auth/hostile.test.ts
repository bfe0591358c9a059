import { spawn, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleCommands } from '../../../../src/dev/bundle-commands.ts'
import { useCommandLine } from './command-line.ts'

// The commands as somebody clumsy, or somebody hostile, calls them.

const cli = useCommandLine()
const MIB = 1024 * 1024
const ESCAPE = '\u001b[31m'
const RIGHT_TO_LEFT = '\u202e'

const readText = (name: string): string => readFileSync(join(cli.directory, name), 'utf8')

describe('a document that is no document', () => {
  it.each([
    ['10 MiB of text.json', 'a'.repeat(10 * MIB)],
    ['10 MiB of spaces.json', `{${' '.repeat(10 * MIB)}}`],
    ['10 MiB of text.yaml', 'a'.repeat(10 * MIB)],
    ['10 MiB of brackets.json', '['.repeat(10 * MIB)],
  ])('%s is larger than 4 MiB, in every command', async (name, text) => {
    const file = cli.write(name, text)
    for (const args of [
      ['check', file],
      ['explain', file, '--user', 'a'],
      ['diff', file, file],
    ]) {
      const { code, value } = await cli.json(['mapping', ...args])
      expect([code, value]).toMatchObject([1, [{ file, faults: [{ message: 'is larger than 4 MiB' }] }]])
    }
    expect(await cli.json(['import', file, '--out', 'none'])).toMatchObject({
      code: 1,
      value: { error: `${file}: is larger than 4 MiB` },
    })
  })

  it.each([
    [
      'a directory',
      () => mkdirSync(join(cli.directory, 'directory'), { recursive: true }),
      'directory',
      'is a directory',
    ],
    ['a file that is missing', () => undefined, 'missing.json', 'does not exist'],
    ['a link to itself', () => symlinkSync('loop', join(cli.directory, 'loop')), 'loop', 'leads to itself'],
    ['a link to nothing', () => symlinkSync('nothing', join(cli.directory, 'dangling')), 'dangling', 'does not exist'],
  ])('%s is wrong usage, in every command', async (_, make, file, message) => {
    make()
    const checked = await cli.json(['mapping', 'check', file])
    expect(checked).toMatchObject({
      code: 2,
      value: [{ file, faults: [{ message: expect.stringContaining(message) }] }],
    })
    for (const args of [
      ['mapping', 'explain', file, '--user', 'a'],
      ['policy', 'diff', file, file],
      ['import', file, '--out', 'x'],
    ])
      expect(await cli.json(args)).toMatchObject({ code: 2, value: { error: expect.stringContaining(message) } })
  })

  it('is read by a link, in UTF-8, with a byte order mark and the line ends of Windows', async () => {
    cli.write('target.yaml', '\uFEFFrules: []\r\nallow:\r\n  domains: [default]\r\n')
    symlinkSync('target.yaml', join(cli.directory, 'link.yaml'))
    expect((await cli.run(['mapping', 'check', 'link.yaml'])).code).toBe(0)
    const { stdout } = await cli.run([
      'mapping',
      'check',
      cli.write('windows.json', '\uFEFF{"rules": [],\r\n"foo": 1}\r\n'),
    ])
    expect(stdout).toContain('windows.json:2:1: error: foo: is not a key here')
    expect(stdout).not.toContain('\r')
  })

  it('is standard input once only', async () => {
    for (const args of [
      ['mapping', 'diff', '-', '-'],
      ['mapping', 'explain', '-', '--facts', '-'],
    ]) {
      const { code, value } = await cli.json(args, { stdin: '{}' })
      expect([code, value]).toMatchObject([2, { error: expect.stringContaining('named twice') }])
    }
    const { code, value } = await cli.json(['mapping', 'check', '-', '-'], { stdin: '{}' })
    expect([code, value]).toMatchObject([
      2,
      [{ faults: [] }, { faults: [{ message: expect.stringContaining('twice') }] }],
    ])
  })
})

describe('a document that is nested deep', () => {
  it.each([
    ['brackets.json', '['.repeat(4 * MIB)],
    ['closed brackets.json', `${'['.repeat(2 * MIB - 1)}${']'.repeat(2 * MIB - 1)}`],
    ['objects.json', '{"a":'.repeat(MIB / 2)],
    ['brackets.yaml', '['.repeat(4 * MIB)],
    ['lists.yaml', '- '.repeat(2 * MIB)],
    ['objects.yaml', `a: ${'{a: '.repeat(MIB / 2)}`],
    ['indented.yaml', Array.from({ length: 1500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ])('%s is refused, by check and by import', async (name, text) => {
    const file = cli.write(name, text)
    const checked = await cli.json(['policy', 'check', file])
    expect(checked).toMatchObject({ code: 1, value: [{ file, faults: [{ path: expect.any(String) }] }] })
    const imported = await cli.json(['import', file, '--out', 'deep'])
    expect(imported).toMatchObject({ code: 1, value: { error: expect.not.stringContaining('report it') } })
  })
})

describe('YAML', () => {
  it.each([
    ['aliases that grow', `a: &a [x, x, x]\nb: &b [*a, *a, *a]\nrole-mappings: *b\n`, 'is an alias'],
    ['an anchor', 'rules: &rules []\n', 'has an anchor'],
    ['a merge key', '<<: {}\nrules: []\n', 'is not a key here'],
    ['two keys of one name', 'rules: []\nrules: []\n', 'a key is there twice'],
    ['two documents', 'rules: []\n---\nrules: []\n', 'holds several documents'],
    ['a tab', 'rules:\n\t- groups: [a]\n', 'Tabs are not allowed'],
    ['an octal number', 'allow: { projects: [0123] }\n', 'in YAML put it in quotes'],
    ['an id of digits only', 'deny: { users: [12345678901234567890123456789012] }\n', 'in YAML put it in quotes'],
    ['nothing for a name', 'allow: { projects: [~] }\n', 'expected an id, a name'],
    ['a truth value', 'allow: { projects: [true] }\n', 'in YAML put it in quotes'],
  ])('with %s is refused', async (name, text, message) => {
    const { code, stdout } = await cli.run(['mapping', 'check', cli.write(`${name}.yaml`, text)])
    expect([code, stdout]).toEqual([1, expect.stringContaining(message)])
  })

  it('takes no and dates for texts, as YAML 1.2 does', async () => {
    const file = cli.write('yaml-1.1.yaml', 'allow: { projects: [no, yes, 2024-01-01] }\n')
    const explained = await cli.json(['mapping', 'explain', file, '--user', 'a', '--project', 'no'])
    expect(explained).toMatchObject({ code: 0, value: { authenticated: true } })
  })

  it('keeps the digits of ids at import, as k8s-keystone-auth does', async () => {
    const id = '12345678901234567890123456789012'
    const stdin = `projects-blacklist: [${id}, 0123]\nrole-mappings:\n- keystone-role: 007\n  groups: [yes, true, 1.50]\n`
    expect((await cli.json(['import', '-', '--out', 'digits'], { stdin })).code).toBe(0)
    expect(JSON.parse(readText('digits/sync.json'))).toEqual({ 'projects-blacklist': [id, '0123'] })
    expect(JSON.parse(readText('digits/mapping.json'))).toEqual({
      'role-mappings': [{ 'keystone-role': '007', groups: ['yes', 'true', '1.50'] }],
    })
  })

  it.each([
    [
      'grow',
      Array.from(
        'abcdefg',
        (name, at) =>
          `${name}: &${name} [${'*abcdefg'.charAt(at) === '*' ? 'x' : `*${'abcdefg'[at - 1]}, `.repeat(9)}]`,
      ).join('\n'),
    ],
    ['hold themselves', 'a: &a { b: *a }'],
  ])('aliases that %s end an import with 1', async (_, text) => {
    const stdin = `${text}\nrole-mappings: []\n`
    expect(await cli.json(['import', '-', '--out', 'aliases'], { stdin })).toMatchObject({
      code: 1,
      value: { error: expect.stringContaining('its aliases cannot be resolved') },
    })
    expect(existsSync(join(cli.directory, 'aliases'))).toBe(false)
  })
})

describe('what is printed', () => {
  const plain = (text: string): void => {
    // Line breaks only.
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }

  it('holds no control characters of names: files, users, roles, keys, arguments', async () => {
    const name = `n${ESCAPE}${RIGHT_TO_LEFT}.json`
    cli.write(name, { rules: [{ role: `r${ESCAPE}`, groups: ['a'] }], [`k${ESCAPE}\n`]: 1 })
    const mapping = cli.write('escapes.json', { rules: [{ role: `r${ESCAPE}`, groups: ['a'] }] })
    const policy = cli.write('policy.json', [
      { users: { roles: [`r${ESCAPE}\n- x`], projects: ['demo'] }, resource_permissions: { '*/*': ['*'] } },
    ])
    const other = cli.write('empty.json', [])
    const user = `u${ESCAPE}${RIGHT_TO_LEFT}\n- forged`
    for (const args of [
      ['mapping', 'check', name],
      ['mapping', 'check', '-o', 'github', name],
      ['mapping', 'check', `missing${ESCAPE}`],
      ['mapping', 'explain', mapping, '--user', user, '--role', `r${ESCAPE}`],
      ['mapping', 'explain', `missing${ESCAPE}`],
      ['mapping', 'diff', mapping, cli.write('none.json', {})],
      [
        'policy',
        'explain',
        policy,
        '--user',
        user,
        '--role',
        `r${ESCAPE}\n- x`,
        '--project',
        'demo',
        '--verb',
        'get',
        '--resource',
        `p${ESCAPE}`,
      ],
      ['policy', 'diff', policy, other],
      ['import', policy, '--out', `out${ESCAPE}`],
      [`bogus${ESCAPE}`],
      ['mapping', 'check', `--bogus${ESCAPE}`],
      ['mapping', 'check', mapping, '-o', `x${ESCAPE}`],
    ]) {
      const { stdout, stderr } = await cli.run(args)
      expect(`${stdout}${stderr}`).not.toBe('')
      plain(stdout)
      plain(stderr)
    }
    const { stdout } = await cli.run(['policy', 'diff', policy, other])
    expect(stdout.split('\n').every((line) => line === '' || line.startsWith('- project demo; roles r'))).toBe(true)
  })

  it('is one JSON value with -o json, whatever happens', async () => {
    const file = cli.write('json.json', {})
    for (const [args, code] of [
      [['mapping', 'check', file], 0],
      [['mapping', 'check', 'missing'], 2],
      [['mapping', 'check'], 2],
      [['mapping', 'check', file, '--bogus'], 2],
      [['mapping', 'bogus'], 2],
      [['bogus'], 2],
      [['policy', 'explain', file], 2],
      [['policy', 'explain', file, '--verb', 'get'], 2],
      [['mapping', 'explain', file, '--scope', 'x'], 2],
      [['mapping', 'put', file], 2],
      [['mapping', 'undo', '0', '--local'], 2],
      [['import', file, '--out', 'x'], 1],
      [['mapping', 'diff', file, file, '--audit', file], 1],
    ] as const)
      expect([args, (await cli.json(args)).code]).toEqual([args, code])
    expect((await cli.json(['policy', 'explain', file])).value).toEqual({
      error: 'there is no verb',
      hint: 'give --verb, for example --verb get',
    })
  })
})

describe('files that cannot be written', () => {
  const policy = () => cli.write('policy.json', [])

  it.each([
    ['a file', () => cli.write('taken', 'x'), 'taken', 'is no directory'],
    ['below a file', () => cli.write('taken', 'x'), 'taken/below', 'has a parent that is no directory'],
    ['no name at all', () => undefined, '', 'is empty'],
    ['a file system that takes no directories', () => undefined, '/proc/none', 'cannot make /proc/none'],
  ])('--out that is %s is wrong usage', async (_, make, out, message) => {
    make()
    const { code, value } = await cli.json(['import', policy(), '--out', out])
    expect([code, value]).toMatchObject([2, { error: expect.stringContaining(message) }])
  })

  it('keeps a link a link', async () => {
    mkdirSync(join(cli.directory, 'linked'))
    cli.write('linked/real.json', ['old'])
    symlinkSync('real.json', join(cli.directory, 'linked/policy.json'))
    expect((await cli.run(['import', policy(), '--out', 'linked', '--yes'])).code).toBe(0)
    expect(lstatSync(join(cli.directory, 'linked/policy.json')).isSymbolicLink()).toBe(true)
    expect(readText('linked/real.json')).toBe('[]\n')
  })

  describe('because there is no room', () => {
    const bundles = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-full-'))
    beforeAll(() => bundleCommands(bundles))
    afterAll(() => rmSync(bundles, { recursive: true }))
    const program = join(bundles, 'keystone-edge-auth.cjs')

    it('leaves the old content and no draft, with 3', () => {
      mkdirSync(join(cli.directory, 'full'))
      cli.write('full/policy.json', ['old'])
      const script = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`
      const args = ['-c', script, process.execPath, program, 'import', policy(), '--out', 'full', '--yes', '-o', 'json']
      const { status, stdout } = spawnSync('bash', args, { cwd: cli.directory, encoding: 'utf8' })
      expect(JSON.parse(stdout)).toEqual({ error: expect.stringMatching(/^cannot write full\/policy\.json: /) })
      expect([status, readText('full/policy.json')]).toEqual([3, '["old"]'])
      expect(readdirSync(join(cli.directory, 'full'))).toEqual(['policy.json'])
    })

    it.runIf(existsSync('/dev/full'))('says that standard output cannot be written, with 3', () => {
      const args = [
        '-c',
        '"$0" "$@" > /dev/full',
        process.execPath,
        program,
        'mapping',
        'check',
        cli.write('m.json', {}),
      ]
      const { status, stderr } = spawnSync('bash', args, { cwd: cli.directory, encoding: 'utf8' })
      expect([status, stderr]).toEqual([3, 'error: standard output cannot be written: ENOSPC\n'])
    })

    it('ends quietly where nobody reads on', async () => {
      const child = spawn(process.execPath, [program, 'mapping', 'check', '--help'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stdout.destroy()
      let stderr = ''
      child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text
      })
      await new Promise((done) => child.on('close', done))
      expect(stderr).toBe('')
    })
  })
})
