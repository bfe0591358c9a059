import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { installIfMissing } from './installation.ts'
import { type RealKeystone, startRealKeystone } from './real-keystone.ts'
import { untilStopped } from './signals.ts'

// npm run test:keystone: the suites of test/node/contract and test/scenarios/revocation against a real Keystone, once for each provider. Arguments go on to
// vitest. With CONTRACT_REPORT_DIR set, each run also writes <provider>.json there, in the format of vitest's json reporter.

const ROOT = join(import.meta.dirname, '../../..')
const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

const stopping = new AbortController()

/** Whether the suite passed. */
async function runSuite({ close: _, ...keystone }: RealKeystone): Promise<boolean> {
  const args = [VITEST, 'run', 'test/node/contract', 'test/scenarios/revocation', ...reporters(keystone.provider)]
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], {
    cwd: ROOT,
    env: { ...process.env, KEYSTONE_UNDER_TEST: JSON.stringify(keystone) },
    stdio: 'inherit',
  })
  const stop = () => child.kill('SIGTERM')
  stopping.signal.addEventListener('abort', stop, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  child.once('error', reject)
  child.once('exit', (code) => resolve(code === 0))
  return promise
}

function reporters(provider: string): string[] {
  const directory = process.env.CONTRACT_REPORT_DIR
  if (directory === undefined || directory === '') return []
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${join(directory, `${provider}.json`)}`]
}

async function main(): Promise<number> {
  await installIfMissing()
  let passed = true
  for (const provider of ['fernet', 'jws'] as const) {
    if (stopping.signal.aborted) break
    process.stdout.write(`\nReal Keystone, provider ${provider}\n`)
    const keystone = await startRealKeystone({ provider, port: 0 })
    try {
      passed = !stopping.signal.aborted && (await runSuite(keystone)) && passed
    } finally {
      await keystone.close()
    }
  }
  return passed && !stopping.signal.aborted ? 0 : 1
}

void untilStopped().then(() => stopping.abort())
process.exitCode = await main()
process.exit()
