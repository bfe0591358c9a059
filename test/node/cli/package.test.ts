import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/dev/bundle-commands.ts'
import { VERSION } from '../../../src/lib/version.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

describe('the package that npm pack makes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-pack-'))
  beforeAll(() => {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: ROOT, stdio: 'pipe' })
    const [archive = ''] = readdirSync(directory)
    execFileSync('tar', ['-xzf', join(directory, archive), '-C', directory])
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it.each(COMMANDS)('has %s as one file that needs no other', (command) => {
    const alone = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-alone-'))
    try {
      const program = join(alone, command)
      execFileSync('cp', [join(directory, 'package/dist/cli', `${command}.cjs`), program])
      chmodSync(program, 0o755)
      const { status, stdout } = spawnSync(program, ['--version'], { cwd: alone, encoding: 'utf8' })
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(VERSION) })
    } finally {
      rmSync(alone, { recursive: true, force: true })
    }
  })

  it('has the bins of package.json, the documentation and no source, test or secret', () => {
    const files = execFileSync(
      'tar',
      ['-tzf', join(directory, readdirSync(directory).find((file) => file.endsWith('.tgz')) ?? '')],
      {
        encoding: 'utf8',
      },
    )
    for (const command of COMMANDS) expect(files).toContain(`package/dist/cli/${command}.cjs`)
    expect(files).toContain('package/docs/client.md')
    expect(files).not.toMatch(/package\/(?:src|test|\.dev|\.wrangler)/)
  })
})
