import { readFileSync } from 'node:fs'

/** What a process holds in memory now, in MiB (proc_pid_status(5), VmRSS). Linux only. */
export function readMemoryMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it has ended`)
  return Number(kib) / 1024
}
