import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundleCommands } from '../../../../src/dev/bundle-commands.ts'
import { isInstalled } from '../../../support/real-keystone/installation.ts'
import { startRealKeystone } from '../../../support/real-keystone/real-keystone.ts'
import { serveDemoKeystone } from '../../harness/served-keystone.ts'
import type { Stage } from '../../harness/stage.ts'
import { spreadOf } from '../../harness/statistics.ts'
import type { Contender, Load, Scenario } from '../scenario.ts'

// What each kubectl waits for. A request is one run of a program, by a parent process of its own, as each kubectl is.

const EXECUTABLE = resolve(import.meta.dirname, '../../../../dist/executables/client-keystone-auth-linux-x64')
const GO_PROGRAM = resolve(import.meta.dirname, '../../../e2e/.bin/peers/client-keystone-auth')

/** `client-keystone-auth` with a cached token, beside a Node that does nothing. */
export const pluginAgainstNode: Scenario = {
  name: 'plugin-cached',
  title: 'client-keystone-auth with a cached token, beside node -e 0',
  target: 1 / 1.3,
  async start(stage) {
    const { env, plugin } = await prepare(stage)
    return { subject: command('client-keystone-auth', plugin, env), baseline: node(env) }
  },
}

/** The same beside the Go program of that name, which has no cache: it asks Keystone each time. */
export const pluginAgainstGo: Scenario = {
  name: 'plugin-cached-go',
  title: 'client-keystone-auth with a cached token, beside the Go program',
  target: 1 / 0.4,
  unavailable() {
    if (!existsSync(GO_PROGRAM)) return 'the Go program is not built; "npm run test:peers" builds it'
    return isInstalled() ? undefined : 'Debian\'s Keystone is not installed; "npm run test:keystone" installs it'
  },
  async start(stage) {
    const { env: embedded, plugin } = await prepare(stage)
    // A real Keystone with its own default of bcrypt: what the Go program waits for.
    const keystone = await startRealKeystone({ provider: 'fernet', port: 0, passwordHashRounds: 12 })
    stage.defer(() => keystone.close())
    const admin = { OS_USERNAME: 'admin', OS_PASSWORD: keystone.adminPassword, OS_PROJECT_NAME: 'admin' }
    const env = { ...embedded, ...admin, OS_AUTH_URL: keystone.url }
    return { subject: command('client-keystone-auth', plugin, env), baseline: command('Go program', [GO_PROGRAM], env) }
  },
}

/** The single executable with a cached token, beside a Node that does nothing. */
export const pluginExecutable: Scenario = {
  name: 'plugin-executable',
  title: 'client-keystone-auth as a single executable, with a cached token, beside node -e 0',
  target: 1 / 0.6,
  unavailable: () =>
    existsSync(EXECUTABLE) ? undefined : 'the executable is not built; "npm run executables" builds it',
  async start(stage) {
    const { env } = await prepare(stage)
    return { subject: command('executable', [EXECUTABLE], env), baseline: node(env) }
  },
}

type Environment = Readonly<Record<string, string>>

/** A Keystone that accepts alice, a home directory, and the bundle. */
async function prepare(stage: Stage): Promise<{ env: Environment; plugin: readonly string[] }> {
  const keystone = await serveDemoKeystone(stage)
  await bundleCommands(stage.directory)
  const env = {
    HOME: stage.directory,
    PATH: process.env.PATH ?? '',
    OS_AUTH_URL: keystone.url,
    OS_USERNAME: 'alice',
    OS_PASSWORD: 'alice',
    OS_PROJECT_NAME: 'demo',
    OS_DOMAIN_NAME: 'Default',
  }
  return { env, plugin: [nodeOfMachine(), join(stage.directory, 'client-keystone-auth.cjs')] }
}

/** The Node that users have, not the one that this repository pins for itself. */
function nodeOfMachine(): string {
  const outside = (process.env.PATH ?? '').split(':').filter((directory) => !directory.includes('node_modules'))
  return outside.map((directory) => join(directory, 'node')).find((file) => existsSync(file)) ?? process.execPath
}

function node(env: Environment): Contender {
  return command('node -e 0', [nodeOfMachine(), '-e', '0'], env)
}

function command(name: string, argv: readonly string[], env: Environment): Contender {
  const run = (): Promise<{ ms: number; bytes: number }> => {
    const startedMs = performance.now()
    const child = spawn('/bin/sh', ['-c', '"$@"; exit $?', 'sh', ...argv], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let bytes = 1
    child.stdout.on('data', (chunk) => {
      bytes += chunk.length
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        if (code === 0) resolve({ ms: performance.now() - startedMs, bytes })
        else reject(new Error(`invalid: ${name} ended with ${code}`))
      })
    })
  }
  return {
    name,
    // The runs are children of this process.
    pid: process.pid,
    async load({ seconds }): Promise<Load> {
      const runs = []
      const endMs = performance.now() + seconds * 1000
      while (performance.now() < endMs) runs.push(await run())
      const times = runs.map(({ ms }) => ms)
      return {
        requests: runs.length,
        requestsPerSecond: (runs.length * 1000) / times.reduce((sum, ms) => sum + ms, 0),
        p50Ms: spreadOf(times).median,
        p99Ms: Math.max(...times),
        bytesPerAnswer: runs.reduce((sum, { bytes }) => sum + bytes, 0) / runs.length,
      }
    },
    async check() {
      await run()
    },
  }
}
