import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { endProcess } from './end-process.ts'
import type { Stage } from './stage.ts'
import { type Binding, KV_FILE, SOCKET, type Socket, toWorkerdConfig, WORKER_FILE } from './workerd-config.ts'

export interface WorkerdOptions {
  /** Names its directory and its messages; once a stage. */
  readonly name: string
  /** Path of the Worker's only module. */
  readonly script: string
  readonly bindings: readonly Binding[]
  readonly socket?: Socket | undefined
  /** Prints the Worker's log where this process prints, instead of keeping it. */
  readonly printsLog?: boolean | undefined
}

/** A running workerd, ended with the stage. */
export interface Workerd {
  readonly pid: number
  readonly url: string
  /** What it has printed so far: the Worker's log. */
  log(): string
  /** Where that is, for logs that are too long to be read at once. */
  readonly logFile: string
}

const START_MS = 10_000
const CONTROL_FD = 3

/** Starts `workerd serve` with one Worker, in a process of its own so that its processor time can be told apart. */
export async function serveWorker(stage: Stage, options: WorkerdOptions): Promise<Workerd> {
  const { name, script, bindings, socket, printsLog = false } = options
  const directory = join(stage.directory, name)
  mkdirSync(directory)
  copyFileSync(script, join(directory, WORKER_FILE))
  copyFileSync(join(import.meta.dirname, 'workers', KV_FILE), join(directory, KV_FILE))
  const config = join(directory, 'config.capnp')
  writeFileSync(config, toWorkerdConfig({ compatibilityDate: readCompatibilityDate(), bindings, socket }), {
    mode: 0o600,
  })
  const logFile = join(directory, 'log')
  const kept = openSync(logFile, 'a', 0o600)
  const log = printsLog ? 'inherit' : kept
  const child = spawn(workerdPath(), ['serve', `--control-fd=${CONTROL_FD}`, config], {
    stdio: ['ignore', log, log, 'pipe'],
  })
  stage.defer(() => endProcess(child))
  const readLog = (): string => readFileSync(logFile, 'utf8')
  const port = await Promise.race([readPort(child), failedStart(child, name, readLog)])
  return {
    pid: child.pid ?? Number.NaN,
    url: `${socket === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    log: readLog,
    logFile,
  }
}

/** The binary that wrangler pins. */
function workerdPath(): string {
  return createRequire(import.meta.url).resolve('workerd/bin/workerd')
}

/** workerd tells each socket's port as a line of JSON on the control descriptor. */
async function readPort(child: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: child.stdio[CONTROL_FD] as Readable })) {
    const event: { event?: string; socket?: string; port?: number } = JSON.parse(line)
    if (event.event === 'listen' && event.socket === SOCKET && event.port !== undefined) return event.port
  }
  return new Promise(() => undefined)
}

async function failedStart(child: ChildProcess, name: string, readLog: () => string): Promise<never> {
  const timeUp = AbortSignal.timeout(START_MS)
  await Promise.race([once(child, 'exit'), once(timeUp, 'abort')])
  throw new Error(`workerd (${name}) did not start:\n${readLog()}`)
}

/** The deployment's own date, so that the bundle runs as it would there. */
function readCompatibilityDate(): string {
  const toml = readFileSync(resolve(import.meta.dirname, '../../../wrangler.toml'), 'utf8')
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(toml)?.[1]
  if (date === undefined) throw new Error('wrangler.toml: no compatibility_date')
  return date
}
