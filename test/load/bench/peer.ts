import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { loadDevState } from '../../../src/dev/dev-state.ts'
import { endProcess } from '../harness/end-process.ts'
import { readReviewStatus } from '../harness/reviews.ts'
import type { Stage } from '../harness/stage.ts'
import type { Contender } from './scenario.ts'
import type { Wrk } from './wrk.ts'

/** The real k8s-keystone-auth, as `npm run test:peers` builds it. */
const PROGRAM = resolve(import.meta.dirname, '../../e2e/.bin/peers/k8s-keystone-auth')
const START_TRIES = 100
const TRY_EVERY_MS = 50

/** Why the peer cannot be measured on this machine, if so. */
export function whyNoPeer(): string | undefined {
  return existsSync(PROGRAM) ? undefined : 'k8s-keystone-auth is not built; "npm run test:peers" builds it'
}

/** Serves k8s-keystone-auth with a policy, over TLS, as it knows nothing else. */
export async function servePeer(
  stage: Stage,
  options: { policy: string; keystoneUrl: string; wrk: Wrk },
): Promise<Contender> {
  const { wrk } = options
  const directory = join(stage.directory, 'peer')
  await loadDevState(directory, '', Date.now())
  const policyFile = join(directory, 'policy.json')
  writeFileSync(policyFile, options.policy)
  const port = await freePort()
  const flags = {
    listen: `127.0.0.1:${port}`,
    'tls-cert-file': join(directory, 'tls.crt'),
    'tls-private-key-file': join(directory, 'tls.key'),
    'keystone-policy-file': policyFile,
    'keystone-url': options.keystoneUrl,
  }
  const child = spawn(
    PROGRAM,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: 'ignore' },
  )
  stage.defer(() => endProcess(child))
  const url = `https://127.0.0.1:${port}/webhook`
  const certificate = readFileSync(flags['tls-cert-file'])
  const check = async (): Promise<void> => {
    const { allowed } = readReviewStatus(await postTo(url, wrk.post.body, certificate))
    if (allowed !== true) throw new Error('invalid: k8s-keystone-auth did not allow the request')
  }
  await untilItAnswers(check)
  return { name: 'k8s-keystone-auth', pid: child.pid ?? 0, load: (load) => wrk.load(url, load), check }
}

async function untilItAnswers(check: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await check()
    } catch (error) {
      if (tried === START_TRIES) throw error
      await new Promise((done) => setTimeout(done, TRY_EVERY_MS))
    }
  }
}

function postTo(url: string, body: string, ca: Buffer): Promise<string> {
  return new Promise((done, fail) => {
    const call = request(url, { method: 'POST', ca, headers: { 'Content-Type': 'application/json' } }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => done(text))
    })
    call.on('error', fail)
    call.end(body)
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
