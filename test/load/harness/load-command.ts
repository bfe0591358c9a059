import { createStage, type Stage } from './stage.ts'

/** What a command of this folder gets. */
export interface LoadCommand {
  /** Aborted at SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Makes a stage for the bundle and closes the stage when `use` has settled. */
  withStage<T>(bundle: string, use: (stage: Stage) => Promise<T>): Promise<T>
}

/** Runs a command. An error goes to stderr as `<name>: <message>`, and the exit code is 1, or 130 after an interrupt. */
export async function runLoadCommand(name: string, main: (command: LoadCommand) => Promise<void>): Promise<void> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  const { signal } = interrupted
  try {
    await main({ signal, withStage: (bundle, use) => withStage(createStage(signal, bundle), use) })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${name}: ${signal.aborted ? 'interrupted' : message}\n`)
    process.exitCode = signal.aborted ? 130 : 1
  }
}

async function withStage<T>(stage: Stage, use: (stage: Stage) => Promise<T>): Promise<T> {
  try {
    return await use(stage)
  } finally {
    await stage.close()
  }
}
