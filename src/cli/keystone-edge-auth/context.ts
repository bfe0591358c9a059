import type { CommandContext as StricliContext, StricliProcess } from '@stricli/core'
import type { Transport } from '../shared/node-fetch.ts'
import { createFiles, type Files } from './files.ts'
import type { WranglerOptions } from './kv/run-wrangler.ts'

/** Every effect of a command. Tests give their own. */
export interface CommandContext extends StricliContext {
  /** Where a command prints, the environment, and the exit code that it leaves. */
  readonly process: StricliProcess
  readonly files: Files
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly randomBytes: (size: number) => Uint8Array
  /** A way to a server over https, which trusts the authority of the file instead of this machine's. */
  readonly connect: (cacert: string | undefined) => Promise<Transport>
  /** The addresses of a host name. Rejects with Node's error code. */
  readonly resolve: (hostname: string) => Promise<readonly string[]>
  /** Waits. */
  readonly sleep: (ms: number) => Promise<void>
  /** Runs wrangler and gives its standard output. A failure is a `CommandError`. */
  readonly wrangler: (args: readonly string[], options?: WranglerOptions) => Promise<string>
  /** Runs wrangler and gives the lines of its standard output as they come. A failure is a `CommandError`. */
  readonly wranglerLines: (args: readonly string[], purpose: string) => AsyncIterable<string>
  /**
   * Does what must not be left half done: Ctrl-C waits until the work has ended, and is then told by `true`. Rejects as
   * the work does.
   */
  readonly uninterrupted: (work: () => Promise<void>) => Promise<boolean>
  /** Whether a person can be asked: standard input and standard error are a terminal. */
  readonly canAsk: boolean
  /** Whether standard output, or standard error, takes colours. */
  readonly colours: { readonly stdout: boolean; readonly stderr: boolean }
}

/** The effects of a real process. */
export function createContext(node: NodeJS.Process): CommandContext {
  const { env, stdin, stdout, stderr } = node
  const takesColours = (stream: { readonly isTTY?: boolean }): boolean =>
    stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  const files = createFiles(stdin)
  return {
    process: { stdout, stderr, env },
    files,
    now: Date.now,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
    connect: async (cacert) => (await import('./connect.ts')).connect(files, cacert),
    async resolve(hostname) {
      const { lookup } = await import('node:dns/promises')
      return (await lookup(hostname, { all: true })).map(({ address }) => address)
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    wrangler: async (args, options) => (await import('./kv/run-wrangler.ts')).runWrangler(args, env, options),
    async *wranglerLines(args, purpose) {
      yield* (await import('./kv/run-wrangler.ts')).streamWrangler(args, env, purpose)
    },
    uninterrupted: createUninterrupted(node),
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    colours: { stdout: takesColours(stdout), stderr: takesColours(stderr) },
  }
}

/** Work within such work is part of it. A second Ctrl-C ends at once. */
function createUninterrupted(node: NodeJS.Process): CommandContext['uninterrupted'] {
  let running: { isStopped: boolean } | undefined
  const stop = (): void => {
    if (running?.isStopped === true) {
      node.stderr.write('stopped at once; what was being done can be half done\n')
      node.exit(1)
    }
    if (running !== undefined) running.isStopped = true
    node.stderr.write('\nfinishing first, so that nothing is half done …\n')
  }
  return async function uninterrupted(work) {
    if (running !== undefined) {
      await work()
      return running.isStopped
    }
    const current = { isStopped: false }
    running = current
    for (const signal of ['SIGINT', 'SIGTERM'] as const) node.on(signal, stop)
    try {
      await work()
      return current.isStopped
    } finally {
      running = undefined
      for (const signal of ['SIGINT', 'SIGTERM'] as const) node.off(signal, stop)
    }
  }
}
