import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Keeps what one run starts, and ends all of it when the run is over. */
export interface Stage {
  /** For files that may hold secrets: only the owner may read the directory; `close` removes the directory. */
  readonly directory: string
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal
  /** Path of the built Worker. */
  readonly bundle: string
  /** Registers what must be ended; last in, first out. */
  defer(close: () => Promise<void> | void): void
  /** Closing a second time does nothing. */
  close(): Promise<void>
}

/** @throws Error when the bundle does not exist */
export function createStage(signal: AbortSignal, bundle: string): Stage {
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing; "npm run bundle" builds dist/worker.js`)
  const directory = mkdtempSync(join(tmpdir(), 'keystone-edge-auth-load-'))
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
          process.stderr.write(`while ending: ${String(error)}\n`)
        }
      }
    },
  }
}
