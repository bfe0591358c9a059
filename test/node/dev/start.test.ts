import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-start-'))

interface Run {
  readonly process: ChildProcess
  readonly output: () => string
  readonly exited: Promise<number | null>
}

function start(env: Record<string, string>): Run {
  const child = spawn(process.execPath, ['src/dev/start.ts'], {
    cwd: ROOT,
    env: { ...process.env, DEV_STATE_DIR: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)))
  return { process: child, output: () => text, exited: new Promise((done) => child.once('exit', done)) }
}

async function until(run: Run, text: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    const look = (): void => (run.output().includes(text) ? done() : undefined)
    run.process.stdout?.on('data', look)
    void run.exited.then((code) => fail(new Error(`npm start ended with ${code}:\n${run.output()}`)))
    look()
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Runs what was printed, as whoever copies it into a shell does. */
async function shell(script: string): Promise<string> {
  return (await promisify(execFile)('bash', ['-euc', script], { cwd: ROOT })).stdout
}

/** The printed block that starts with `first` and ends with the line `last`. */
function block(output: string, first: string, last: string): string {
  const from = output.indexOf(`\n${first}`) + 1
  return output.slice(from, output.indexOf(`\n${last}\n`, from) + last.length + 1)
}

describe('npm start', () => {
  let run: Run
  let ports: { PORT: string; KEYSTONE_PORT: string }
  beforeAll(async () => {
    ports = { PORT: String(await freePort()), KEYSTONE_PORT: String(await freePort()) }
    run = start(ports)
    await until(run, 'Ctrl-C')
  })
  afterAll(async () => {
    run?.process.kill('SIGINT')
    await run?.exited
    rmSync(directory, { recursive: true, force: true })
  })

  it('prints lines that work: get a token, review it', async () => {
    const getToken = block(run.output(), 'TOKEN=', ')')
    const review = block(run.output(), 'curl -s --cacert', 'EOF')
    const answer = JSON.parse(await shell(`${getToken}\n${review}`))
    expect(answer.status.user).toMatchObject({ username: 'alice', groups: expect.arrayContaining(['developers']) })
  })

  it('prints a line that works: a user and password of the HTTP Basic service', async () => {
    const line =
      run
        .output()
        .split('\n')
        .find((text) => text.startsWith('curl') && text.includes('user1:pass1')) ?? ''
    expect(JSON.parse(await shell(line)).status).toMatchObject({
      authenticated: true,
      user: { username: 'basic:user1' },
    })
    expect(JSON.parse(await shell(line.replace('pass1', 'pass2'))).status).toEqual({ authenticated: false })
  })

  it('prints lines that work: what is in force', async () => {
    const line =
      run
        .output()
        .split('\n')
        .find((text) => text.startsWith('curl') && text.endsWith('/readyz')) ?? ''
    expect(JSON.parse(await shell(line))).toMatchObject({
      keystone: { reachable: true },
      settings: [],
      documents: { mapping: { source: 'config', faults: [] } },
    })
  })

  it('writes audit lines on standard output', () => {
    const lines = run
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"event":"review"'))
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ cluster: 'dev', user: 'alice', decision: 'allow' }),
    )
  })

  it('leaves files for their owner only, and prints no secret', () => {
    const files = readdirSync(directory).filter((name) => statSync(join(directory, name)).isFile())
    expect(files).toEqual(expect.arrayContaining(['caller-token', 'webhook.kubeconfig', 'tls.crt']))
    for (const file of files) expect([file, statSync(join(directory, file)).mode & 0o077]).toEqual([file, 0])
    expect(run.output()).not.toContain(readFileSync(join(directory, 'caller-token'), 'utf8'))
    expect(run.output()).not.toContain(readFileSync(join(directory, 'cache-keys'), 'utf8'))
  })

  it('a second one on the same port says so, and leaves the first alone', async () => {
    const second = start(ports)
    expect(await second.exited).toBe(1)
    expect(second.output()).toMatch(new RegExp(`port ${ports.PORT} on 127.0.0.1 is taken.*PORT=`))
    const third = start({ ...ports, PORT: String(await freePort()) })
    expect(await third.exited).toBe(1)
    expect(third.output()).toMatch(new RegExp(`port ${ports.KEYSTONE_PORT} .* is taken.*KEYSTONE_PORT=`))
  })

  it('a port that is none says so', async () => {
    const wrong = start({ ...ports, PORT: 'https' })
    expect(await wrong.exited).toBe(1)
    expect(wrong.output()).toContain('PORT=https is not a port')
  })

  it('uses KEYSTONE_URL and the vars of the environment', async () => {
    const env = {
      PORT: String(await freePort()),
      KEYSTONE_URL: `http://127.0.0.1:${ports.KEYSTONE_PORT}/v3`,
      IDENTITY_TTL_SECONDS: '301',
    }
    const other = start(env)
    await until(other, 'Ctrl-C')
    expect(other.output()).toContain('not ready: IDENTITY_TTL_SECONDS: expected a whole number from 0 to 300')
    expect(other.output()).toContain('"path":"IDENTITY_TTL_SECONDS"')
    expect(other.output()).not.toContain('ready: https')
    other.process.kill('SIGTERM')
    expect(await other.exited).toBe(0)
  })

  it('says what to set when KEYSTONE_URL is http to another machine', async () => {
    const other = start({ PORT: String(await freePort()), KEYSTONE_URL: 'http://10.11.12.13:5000/v3' })
    await until(other, 'Ctrl-C')
    expect(other.output()).toMatch(/not ready: KEYSTONE_URL: .*KEYSTONE_ALLOW_HTTP = "true"/)
    other.process.kill('SIGTERM')
    expect(await other.exited).toBe(0)
  })

  it('takes KEYSTONE_URL with a slash at its end, and prints commands that work', async () => {
    const keystoneUrl = `http://127.0.0.1:${ports.KEYSTONE_PORT}/v3`
    const other = start({ PORT: String(await freePort()), KEYSTONE_URL: `${keystoneUrl}/` })
    await until(other, 'Ctrl-C')
    expect(other.output()).toContain(`cluster dev), asking ${keystoneUrl}\n`)
    expect(other.output()).toContain(` ${keystoneUrl}/auth/tokens `)
    other.process.kill('SIGTERM')
    expect(await other.exited).toBe(0)
  })

  it('keeps its secrets and certificate, and ends cleanly on Ctrl-C with all that it started', async () => {
    const before =
      readFileSync(join(directory, 'tls.crt'), 'utf8') + readFileSync(join(directory, 'caller-token'), 'utf8')
    run.process.kill('SIGINT')
    expect(await run.exited).toBe(0)
    const children = (await promisify(execFile)('ps', ['-eo', 'args'])).stdout
    expect(children.split('\n').filter((line) => line.includes(directory))).toEqual([])
    run = start(ports)
    await until(run, 'Ctrl-C')
    expect(
      readFileSync(join(directory, 'tls.crt'), 'utf8') + readFileSync(join(directory, 'caller-token'), 'utf8'),
    ).toBe(before)
  })
})
