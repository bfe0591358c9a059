import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Stage } from '../harness/stage.ts'
import type { Load, LoadOptions, Post } from './scenario.ts'

/** wrk with its POST. */
export interface Wrk {
  readonly post: Post
  /** Keeps a server busy with the POST. Rejects when any answer was 400 or above, or any connection failed. */
  load(url: string, options: LoadOptions): Promise<Load>
}

interface WrkResult {
  readonly requests: number
  readonly bytes: number
  readonly durationUs: number
  readonly p50Us: number
  readonly p99Us: number
  readonly failures: Readonly<Record<string, number>>
}

const SCRIPT = join(import.meta.dirname, 'post.lua')

/** Prepares wrk with the POST in files of mode 0600. */
export function prepareWrk(stage: Stage, post: Post): Wrk {
  const env = {
    ...process.env,
    BENCH_AUTHORIZATION_FILE: writeSecret(join(stage.directory, 'authorization'), post.authorization),
    BENCH_BODY_FILE: writeSecret(join(stage.directory, 'body'), post.body),
  }
  return {
    post,
    async load(url, { seconds, connections }) {
      const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', SCRIPT, url]
      const { stdout } = await promisify(execFile)('wrk', args, { env, signal: stage.signal }).catch(explain)
      return toLoad(readResult(stdout))
    },
  }
}

function writeSecret(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function explain(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT') throw new Error('wrk is missing; on Debian and Ubuntu: apt-get install wrk')
  throw error
}

function readResult(output: string): WrkResult {
  const line = /^result (\{.*\})$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`)
  return JSON.parse(line)
}

function toLoad({ requests, bytes, durationUs, p50Us, p99Us, failures }: WrkResult): Load {
  const failed = Object.entries(failures).filter(([, count]) => count > 0)
  if (failed.length > 0) {
    throw new Error(`invalid: failed requests: ${failed.map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
  }
  if (requests === 0) throw new Error('invalid: no request was answered')
  return {
    requests,
    requestsPerSecond: requests / (durationUs / 1e6),
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
    bytesPerAnswer: bytes / requests,
  }
}
