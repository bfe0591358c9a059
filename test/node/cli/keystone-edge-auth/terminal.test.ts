import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleCommands } from '../../../../src/dev/bundle-commands.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()

const readText = (name: string): string => readFileSync(join(cli.directory, name), 'utf8')

describe.runIf(existsSync('/usr/bin/script'))('a question on a terminal', () => {
  const bundles = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-terminal-'))
  beforeAll(() => bundleCommands(bundles))
  afterAll(() => rmSync(bundles, { recursive: true }))

  /** Runs a command on a terminal of its own, which gets the keys, or the end of the input, when it has asked. */
  async function type(keys: string, args: readonly string[]) {
    const command = [process.execPath, join(bundles, 'keystone-edge-auth.cjs'), ...args].join(' ')
    // With CI in the environment, Node takes a terminal for one without colours.
    const { NO_COLOR: _, CI: __, ...env } = process.env
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: cli.directory,
      env: { ...env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let stdout = ''
    let hasAnswered = false
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      // The end of the frame around the question; a terminal without a width breaks the lines anywhere.
      if (hasAnswered || !stdout.includes('└')) return
      hasAnswered = true
      child.stdin.end(keys)
    })
    const status = await new Promise((done) => child.on('close', done))
    child.stdin.destroy()
    return { status, stdout }
  }

  it.each([
    ['Ctrl-C', '\u0003', 1, 'stopped; nothing was changed'],
    ['Ctrl-D', '', 1, 'the input ended before the question was answered'],
    ['a no', 'n', 1, 'stopped; nothing was changed'],
    ['a yes', 'y', 0, 'asked/policy.json'],
  ])('is answered by %s', async (_, keys, code, message) => {
    mkdirSync(join(cli.directory, 'asked'), { recursive: true })
    cli.write('asked/policy.json', 'old')
    const { status, stdout } = await type(keys, ['import', cli.write('policy.json', []), '--out', 'asked'])
    expect([status, stdout]).toEqual([code, expect.stringContaining(message)])
    expect(readText('asked/policy.json')).toBe(code === 0 ? '[]\n' : 'old')
  })

  it('shows faults as wide as the terminal', async () => {
    const file = cli.write('wide.yaml', `allow: { projects: [${'no, '.repeat(60)}0] }\n`)
    const { stdout } = await type('', ['mapping', 'check', file])
    const [excerpt = ''] = stdout.split('\r\n').filter((line) => line.includes('1 |'))
    expect(stripVTControlCharacters(excerpt).length).toBeLessThanOrEqual(112)
    expect(stdout).toContain('\u001b[31merror:')
  })
})
