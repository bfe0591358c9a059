import { readFileSync } from 'node:fs'

/**
 * A process, told apart from a later one of the same id: on Linux by its start time (proc_pid_stat(5), field 22),
 * elsewhere by its id alone.
 */
export function identityOf(pid: number): string {
  return `${pid}:${startTimeOf(pid) ?? ''}`
}

/** Whether the process of an identity still runs. */
export function isRunning(identity: string): boolean {
  const pid = Number(identity.split(':')[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return identityOf(pid) === identity
}

function startTimeOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and can hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
