import { spawn } from 'node:child_process'

/** Where and with what a command runs. */
interface CommandOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Written to its standard input. */
  input?: string
}

/**
 * Runs a command to its end.
 * @returns what it wrote to standard output
 * @throws Error with the end of what it wrote, when it does not exit with 0
 */
export function runCommand(file: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const { input, ...spawnOptions } = options
  const child = spawn(file, args, { ...spawnOptions, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) resolve(stdout)
    else reject(new Error(`${file} ${args.join(' ')} ended with ${code}:\n${`${stdout}${stderr}`.slice(-4000)}`))
  })
  child.stdin.end(input)
  return promise
}
