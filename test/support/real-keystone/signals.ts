/** Resolves with the signal's name at the first SIGINT or SIGTERM, which then do not end the process by themselves. */
export function untilStopped(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve)
  return promise
}
