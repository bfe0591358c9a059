import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import type { CacheDirectory } from './cache-directory.ts'
import { identityOf, isRunning } from './process-identity.ts'

/** Longer than somebody needs to type a passcode or to confirm a device. */
const PATIENCE_MS = 10 * 60_000
const POLL_MS = 50
const SILENT_MS = 3_000

/**
 * Runs `work` while no other process of this user does so for the same token, so that of ten simultaneous calls one asks
 * Keystone. A lock whose owner is gone is taken over. Where no lock can be had, `work` runs without one.
 */
export async function withLogInLock<T>(
  directory: CacheDirectory,
  name: string,
  { clock, tell }: { readonly clock: Clock; readonly tell: (message: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const file = `${name}.lock`
  const own = `${hostname()} ${identityOf(process.pid)} ${randomBytes(8).toString('hex')}`
  const isHeld = await acquire(directory, file, own, { clock, tell })
  try {
    return await work()
  } finally {
    if (isHeld && directory.read(file) === own) directory.remove(file)
  }
}

async function acquire(
  directory: CacheDirectory,
  file: string,
  own: string,
  { clock, tell }: Parameters<typeof withLogInLock>[2],
): Promise<boolean> {
  const startedMs = clock.now()
  const endMs = startedMs + PATIENCE_MS
  let hasTold = false
  try {
    while (clock.now() < endMs) {
      if (directory.createExclusive(file, own)) return true
      if (!hasTold && clock.now() - startedMs > SILENT_MS) {
        hasTold = true
        tell(
          `another process logs in for the same token (${directory.read(file)?.split(' ')[1]?.split(':')[0]}): waiting for it`,
        )
      }
      if (isAbandoned(directory, file, clock.now())) directory.remove(file)
      else await new Promise<void>((resolve) => clock.startTimer(POLL_MS, resolve))
    }
  } catch {
    // The file system refuses: the log-in must not wait for it.
  }
  return false
}

/** Whether the owner is gone: by its process on this machine, by the lock's age where it is another machine's. */
function isAbandoned(directory: CacheDirectory, file: string, nowMs: number): boolean {
  const [host, identity = ''] = (directory.read(file) ?? '').split(' ')
  const changedAtMs = directory.changedAtMs(file)
  if (changedAtMs === undefined) return false
  if (host === hostname() && identity !== '') return !isRunning(identity)
  // An empty lock is one that is being written right now.
  return nowMs - changedAtMs > (host === '' ? 5_000 : PATIENCE_MS)
}
