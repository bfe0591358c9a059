import { existsSync } from 'node:fs'
import { runCommand } from './command.ts'

/** What Debian's packages `keystone`, `uwsgi` and `uwsgi-plugin-python3` bring and the tests run. */
export const KEYSTONE_MANAGE = '/usr/bin/keystone-manage'
export const KEYSTONE_WSGI = '/usr/bin/keystone-wsgi-public'
export const UWSGI = '/usr/bin/uwsgi'
/** Debian's own Python, whatever comes first in the PATH: only it has Keystone's modules. */
export const PYTHON = '/usr/bin/python3'
const UWSGI_PYTHON = '/usr/lib/uwsgi/plugins/python3_plugin.so'

/** Installs it all, on Debian, as root. */
export const INSTALL_COMMAND =
  'apt-get update && apt-get install -y --no-install-recommends keystone uwsgi uwsgi-plugin-python3'

/** Whether a real Keystone can be started here. */
export function isInstalled(): boolean {
  return [KEYSTONE_MANAGE, KEYSTONE_WSGI, UWSGI, PYTHON, UWSGI_PYTHON].every((path) => existsSync(path))
}

/** Installs Keystone unless it is there. @throws Error that says what to run, when this user may not install */
export async function installIfMissing(): Promise<void> {
  if (isInstalled()) return
  if (process.getuid?.() !== 0) throw new Error(`Keystone is not installed. As root, run: ${INSTALL_COMMAND}`)
  process.stderr.write('Installing Keystone from Debian; this takes about a minute.\n')
  await runCommand('sh', ['-c', INSTALL_COMMAND], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  if (!isInstalled()) throw new Error(`Keystone is still not there after: ${INSTALL_COMMAND}`)
}
