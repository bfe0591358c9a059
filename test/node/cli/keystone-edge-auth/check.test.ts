import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const EXAMPLES = resolve(import.meta.dirname, '../../../../examples')

describe('check', () => {
  it('says nothing of a good document and ends with 0', async () => {
    const file = cli.write('good.json', { rules: [{ role: 'member', groups: ['developers'] }] })
    expect(await cli.json(['mapping', 'check', file])).toEqual({
      code: 0,
      value: [{ file, faults: [], warnings: [] }],
    })
  })

  it('names every fault with path, line and column, and ends with 1', async () => {
    const file = cli.write('faults.json', '{\n  "rules": [\n    { "projcet": "demo",\n      "groups": 5 }\n  ]\n}\n')
    expect(await cli.json(['mapping', 'check', file])).toEqual({
      code: 1,
      value: [
        {
          file,
          faults: expect.arrayContaining([
            { path: 'rules[0].projcet', line: 3, column: 7, message: 'is not a key here' },
            { path: 'rules[0].groups', line: 4, column: 17, message: 'expected a list of groups' },
          ]),
          warnings: [],
        },
      ],
    })
  })

  it('shows people the line, with a mark below the place', async () => {
    const file = cli.write('shown.json', '{ "rules": [{ "projcet": "demo" }] }')
    const { code, stdout } = await cli.run(['mapping', 'check', file])
    expect(code).toBe(1)
    expect(stdout).toBe(
      [
        'shown.json:1:15: error: rules[0].projcet: is not a key here',
        '    1 | { "rules": [{ "projcet": "demo" }] }',
        '      |               ^',
        'shown.json: 1 fault, no warnings',
        '',
      ].join('\n'),
    )
  })

  it('runs the examples of the document', async () => {
    const file = cli.write('examples.yaml', 'examples:\n  - user: alice\n    username: bob\n')
    const { code, value } = await cli.json(['mapping', 'check', file])
    expect(code).toBe(1)
    expect(value).toEqual([
      {
        file,
        faults: [{ path: 'examples[0].username', line: 3, column: 15, message: 'expected bob, got alice' }],
        warnings: [],
      },
    ])
  })

  it('reads standard input, and a byte order mark', async () => {
    expect(await cli.json(['policy', 'check', '-'], { stdin: '\uFEFF[]' })).toEqual({
      code: 0,
      value: [{ file: '-', faults: [], warnings: [] }],
    })
  })

  it.each([
    ['a trailing comma', 'x.json', '[\n {},\n]', 3, 1, 'is not JSON: expected a value'],
    ['two keys of one name in JSON', 'x.json', '{"rules": [],\n "rules": []}', 2, 2, 'is there twice'],
    ['two keys of one name in YAML', 'x.yaml', 'rules: []\nrules: []\n', 2, 1, 'a key is there twice'],
    ['an anchor', 'x.yaml', 'rules: &a []\n', 1, 11, 'has an anchor: write the value itself'],
    ['an alias', 'x.yaml', 'rules: *a\n', 1, 8, 'alias'],
    ['several documents', 'x.yaml', '{}\n---\n{}\n', 2, 1, 'several documents'],
    ['nothing', 'x.yaml', '# nothing\n', 1, 1, 'is empty'],
    ['a ConfigMap', 'x.yaml', 'kind: ConfigMap\n', 1, 1, 'keystone-edge-auth import'],
    ['an id that YAML reads as a number', 'x.yaml', `allow:\n  projects: [${'1'.repeat(32)}]\n`, 2, 14, 'quotes'],
    ['4 MiB and more', 'x.json', `"${'x'.repeat(4 * 1024 * 1024)}"`, 1, 1, 'is larger than 4 MiB'],
    ['10 MiB of YAML', 'x.yaml', `a: ${'x'.repeat(10 * 1024 * 1024)}`, 1, 1, 'is larger than 4 MiB'],
    ['20 MiB', 'x.json', `"${'x'.repeat(20 * 1024 * 1024)}"`, 1, 1, 'is larger than 4 MiB'],
    ['40 levels', 'x.yaml', `rules: ${'['.repeat(40)}${']'.repeat(40)}`, 1, 1, 'is nested deeper than 32 levels'],
  ])('refuses %s at its place', async (_, name, text, line, column, message) => {
    const { code, value } = await cli.json(['mapping', 'check', cli.write(name, text)])
    expect(code).toBe(1)
    expect(value).toMatchObject([{ faults: [{ line, column, message: expect.stringContaining(message) }] }])
  })

  it('ends with 2 for a file that is missing or a directory, and checks the others', async () => {
    mkdirSync(join(cli.directory, 'directory'), { recursive: true })
    const file = cli.write('other.json', {})
    const { code, value } = await cli.json(['mapping', 'check', 'missing.json', 'directory', file])
    expect(code).toBe(2)
    expect(value).toMatchObject([
      { file: 'missing.json', faults: [{ message: expect.stringContaining('does not exist') }] },
      { file: 'directory', faults: [{ message: expect.stringContaining('is a directory') }] },
      { file, faults: [] },
    ])
  })

  it('makes failures of warnings with --strict', async () => {
    const file = cli.write('open.json', { rules: [{ groups: ['everybody'] }] })
    expect((await cli.run(['mapping', 'check', file])).code).toBe(0)
    expect((await cli.run(['mapping', 'check', '--strict', file])).code).toBe(1)
  })

  it('prints annotations for GitHub', async () => {
    const file = cli.write('a,b.json', '{"rules": [{"groups": ["x"]}]}')
    const { stdout } = await cli.run(['mapping', 'check', '-o', 'github', file])
    expect(stdout).toBe(
      '::warning file=a%2Cb.json,line=1,col=12::rules[0]: gives its groups to every user who may log in: it has no conditions\n',
    )
  })

  it('repeats no token that stands in place of its digest', async () => {
    const secret = 'hunter2-hunter2-hunter2'
    const json = cli.write('secret.json', `{"static": [{"token": "${secret}", "username": "a"}], "x": 1}`)
    const yaml = cli.write('secret.yaml', `prod-1:\n  credentials:\n    - ${secret}\n`)
    for (const [kind, file] of [
      ['authenticators', json],
      ['callers', yaml],
    ] as const) {
      for (const output of ['text', 'json', 'github']) {
        const { code, stdout, stderr } = await cli.run([kind, 'check', '-o', output, file])
        expect(code).toBe(1)
        expect(stdout + stderr).not.toContain('hunter2')
      }
    }
  })

  it('accepts the example for Magnum, with a warning for what reaches kube-system', async () => {
    const { code, value } = await cli.json(['policy', 'check', join(EXAMPLES, 'magnum-roles.json')])
    expect(code).toBe(0)
    expect(value).toMatchObject([{ faults: [], warnings: [{ path: 'policies[0].resource_permissions["*/*"]' }] }])
  })
})

describe('the command line', () => {
  it.each([
    [['--version'], 0],
    [['--help'], 0],
    [['mapping', 'check', '--help'], 0],
    [['mapping', 'check'], 2],
    [['mapping', 'chek', 'x'], 2],
    [['mapping', 'check', '--output', 'xml', 'x'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await cli.run(args)).code).toBe(code)
  })

  it("prints the package's version", async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../../package.json'), 'utf8'))
    expect((await cli.run(['--version'])).stdout).toBe(`${version}\n`)
  })

  it.each([
    [['map'], ['mapping']],
    [['mapping', 'ch'], ['check']],
    [['mapping', 'check', '--out'], ['--output']],
    [['mapping', 'check', '--output', 'g'], ['github']],
  ])('completes %j', async (words, completions) => {
    const { code, stdout } = await cli.run(['__complete', ...words])
    expect([code, stdout.trim().split('\n')]).toEqual([0, completions])
  })

  it.each(['bash', 'zsh', 'fish'])('prints the completion for %s', async (shell) => {
    const { code, stdout } = await cli.run(['completion', shell])
    expect([code, stdout]).toEqual([0, expect.stringContaining('keystone-edge-auth __complete')])
  })
})
