import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { bundleCommands } from '../../../../src/dev/bundle-commands.ts'

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** The text on standard error at which the signal of Ctrl-C is sent. */
  readonly interruptAt?: string
}

/** The bundled command line, in a directory of its own that goes away with the tests of the file. */
export interface CommandLine {
  readonly directory: string
  /** Writes a file into the directory, JSON unless it is text, and gives its name. */
  write(name: string, content: unknown): string
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Sends the signal of Ctrl-C once standard error has the text. */
  interrupt(text: string, args: readonly string[]): Promise<Outcome>
  /** The JSON value that the command prints, with the exit code. */
  json(
    args: readonly string[],
    options?: RunOptions,
  ): Promise<{ readonly code: number | null; readonly value: unknown }>
}

/** Bundles `keystone-edge-auth` once for the tests of a file, which run it as users do. */
export function useCommandLine(): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-'))
  const bundles = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-bundle-'))
  beforeAll(() => bundleCommands(bundles))
  afterAll(() => {
    for (const made of [directory, bundles]) rmSync(made, { recursive: true })
  })
  const program = join(bundles, 'keystone-edge-auth.cjs')
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
    runNode([program, ...args], directory, options)
  return {
    directory,
    run,
    interrupt: (text, args) => runNode([program, ...args], directory, { interruptAt: text }),
    write(name, content) {
      writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
      return name
    },
    async json(args, options) {
      const { code, stdout, stderr } = await run([...args, '-o', 'json'], options)
      if (stdout === '') throw new Error(`nothing on standard output; standard error: ${stderr}`)
      return { code, value: JSON.parse(stdout) }
    },
  }
}

function runNode(args: readonly string[], cwd: string, options: RunOptions): Promise<Outcome> {
  const { stdin = '', env = {}, interruptAt } = options
  return new Promise((resolve, reject) => {
    let isInterrupted = interruptAt === undefined
    const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env.PATH, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
      if (isInterrupted || !stderr.includes(interruptAt ?? '')) return
      isInterrupted = true
      child.kill('SIGINT')
    })
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.on('error', () => undefined).end(stdin)
  })
}
