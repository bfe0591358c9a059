import { type Connection, createConnection } from './raw-connection.ts'

interface BusyOptions {
  readonly connections: number
  /** Asked before each request; every connection closes when the answer is no. */
  readonly goesOn: () => boolean
}

/** Keeps connections to a server on loopback busy, with one request at a time on each. Returns the seconds that this took. */
export async function keepBusy(
  url: string,
  { connections, goesOn }: BusyOptions,
  exchangeOne: (connection: Connection) => Promise<void>,
): Promise<number> {
  const startedAtMs = performance.now()
  async function work(): Promise<void> {
    const connection = createConnection(url)
    try {
      while (goesOn()) await exchangeOne(connection)
    } finally {
      connection.close()
    }
  }
  await Promise.all(Array.from({ length: connections }, work))
  return (performance.now() - startedAtMs) / 1000
}
