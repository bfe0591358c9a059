import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

let ticksPerSecond: number | undefined

/** Seconds of processor time, user and system, that a process and its children have used so far. Linux only. */
export function readProcessorSeconds(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return readTicks(pid) / ticksPerSecond
}

/** What a process holds in memory now, in MiB (proc_pid_status(5), VmRSS). Linux only. */
export function readMemoryMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it has ended`)
  return Number(kib) / 1024
}

function readTicks(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + readTicks(child), ownTicks(pid))
}

// proc_pid_stat(5): utime and stime are fields 14 and 15, counted from 1, and 16 and 17 the same of children that have ended. The second field, the program's name in
// parentheses, may hold anything, so counting starts behind it.
function ownTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0)
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => readChildren(`/proc/${pid}/task/${thread}/children`))
}

function readChildren(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // The thread ended meanwhile.
    return []
  }
}
