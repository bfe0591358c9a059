import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where one scenario plays: what it starts is ended again, whatever happens. */
export interface Stage {
  /** For files that may hold secrets: only their owner may enter, and it goes when the stage is closed. */
  readonly directory: string
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal
  /** The built Worker. */
  readonly bundle: string
  /** Registers what must be ended; last in, first out. */
  defer(close: () => Promise<void> | void): void
  close(): Promise<void>
}

/** Closing it a second time does nothing. */
export function createStage(signal: AbortSignal, bundle: string): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-bench-'))
  const closers: (() => Promise<void> | void)[] = [() => rmSync(directory, { recursive: true, force: true })]
  return {
    directory,
    signal,
    bundle,
    defer(close) {
      closers.push(close)
    },
    async close() {
      for (const close of closers.splice(0).reverse()) {
        try {
          await close()
        } catch (error) {
          process.stderr.write(`bench: while ending: ${String(error)}\n`)
        }
      }
    },
  }
}
