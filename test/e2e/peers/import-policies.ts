import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { run } from '@stricli/core'
import { application } from '../../../src/cli/keystone-edge-auth/application.ts'
import { createContext } from '../../../src/cli/keystone-edge-auth/context.ts'
import { createFiles } from '../../../src/cli/keystone-edge-auth/files.ts'

// `import - --out DIR/<index> -o json` for each policy of the list on standard input. Prints the list of what each prints.

const [, , directory = ''] = process.argv
const policies = await json(process.stdin)
if (!Array.isArray(policies)) throw new Error('expected a list of policies')
const outputs: string[] = []
for (const [index, policy] of policies.entries()) outputs.push(await importPolicy(policy, join(directory, `${index}`)))
process.stdout.write(`[${outputs.join(',')}]`)

async function importPolicy(policy: unknown, out: string): Promise<string> {
  const printed: string[] = []
  const own = {
    stdout: { write: (text: string) => printed.push(text) },
    stderr: process.stderr,
    env: {},
    exitCode: null,
  }
  const files = createFiles(Readable.from([Buffer.from(JSON.stringify(policy))]))
  await run(application, ['import', '-', '--out', out, '-o', 'json'], {
    ...createContext(process),
    process: own,
    files,
  })
  if (own.exitCode !== null && own.exitCode !== 0)
    throw new Error(`import ended with ${own.exitCode}: ${JSON.stringify(policy)}`)
  return printed.join('')
}
