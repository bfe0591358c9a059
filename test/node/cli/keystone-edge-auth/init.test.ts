import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { POLICY_PRESETS } from '../../../../src/cli/keystone-edge-auth/init/policy-presets.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const ID = '9e18d0fd315644ee826687296538ddc7'

describe.each(['mapping', 'policy'])('%s init', (kind) => {
  it.each(['magnum', 'rbac-only', 'readers'])('prints a document for %s that passes check', async (preset) => {
    const { code, stdout } = await cli.run([kind, 'init', '--preset', preset])
    expect(code).toBe(0)
    const checked = await cli.json([kind, 'check', '-'], { stdin: stdout })
    expect([checked.code, checked.value]).toMatchObject([0, [{ faults: [] }]])
  })

  it('ends with 2 for another preset', async () => {
    expect((await cli.run([kind, 'init', '--preset', 'everything'])).code).toBe(2)
  })
})

describe('policy init', () => {
  it('puts the id of the project in, and writes a file', async () => {
    const args = ['policy', 'init', '--preset', 'readers', '--project-id', ID, '--out', 'readers.json']
    expect((await cli.run(args)).code).toBe(0)
    const written = readFileSync(join(cli.directory, 'readers.json'), 'utf8')
    expect(written).toContain(ID)
    expect(written).not.toContain('0123456789abcdef')
    expect((await cli.run(args)).code).toBe(2)
    expect((await cli.run(['policy', 'init', '--preset', 'readers', '--project-id', 'demo'])).code).toBe(2)
  })

  it('has the policy for Magnum of examples/', () => {
    const example = resolve(import.meta.dirname, '../../../../examples/magnum-roles.json')
    expect(POLICY_PRESETS.magnum).toEqual(JSON.parse(readFileSync(example, 'utf8')))
  })
})
