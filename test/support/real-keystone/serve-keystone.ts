import { parseArgs } from 'node:util'
import { seedDemo } from '../../../src/dev/embedded-keystone/seed.ts'
import { INSTALL_COMMAND, isInstalled } from './installation.ts'
import { startRealKeystone } from './real-keystone.ts'
import { untilStopped } from './signals.ts'

// Starts a real Keystone with the demo users, prints one line of JSON when it is ready, and stays until SIGINT or SIGTERM.
// Exit code 3: Keystone is not installed. 2: wrong arguments.

const { values } = parseArgs({
  options: { provider: { type: 'string', default: 'fernet' }, port: { type: 'string', default: '0' } },
})

async function main(): Promise<number> {
  const { provider } = values
  const port = Number(values.port)
  if ((provider !== 'fernet' && provider !== 'jws') || !Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write('usage: main.ts [--provider fernet|jws] [--port N]\n')
    return 2
  }
  if (!isInstalled()) {
    process.stderr.write(`Keystone is not installed. As root, run: ${INSTALL_COMMAND}\n`)
    return 3
  }
  const stopped = untilStopped()
  const keystone = await startRealKeystone({ provider, port })
  try {
    const { url, adminPassword } = keystone
    await seedDemo({ url, adminPassword, fetch: (request) => fetch(request) })
    process.stdout.write(`${JSON.stringify({ url, adminPassword })}\n`)
    await stopped
  } finally {
    await keystone.close()
  }
  return 0
}

process.exitCode = await main()
// The handlers of the signals would not keep it alive, but sockets that fetch keeps open may for some seconds.
process.exit()
