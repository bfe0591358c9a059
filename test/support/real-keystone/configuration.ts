import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { KEYSTONE_MANAGE, PYTHON } from './installation.ts'

/** A Keystone of one's own, in a directory of its own. */
interface Setup {
  directory: string
  provider: 'fernet' | 'jws'
  /** Identity API root, for the catalog. */
  url: string
  adminPassword: string
  /** Of bcrypt. Default: the least, because the passwords protect nothing, and every login would take half a second. */
  passwordHashRounds?: number
}

/** Writes configuration, keys and database into the directory. @throws Error with the output of what failed */
export async function setUp(setup: Setup): Promise<void> {
  const { directory } = setup
  const inside = (name: string) => join(directory, name)
  for (const name of ['fernet', 'credential', 'jws-private', 'jws-public']) await mkdir(inside(name), { mode: 0o700 })
  await writeFile(inside('keystone.conf'), configurationOf(setup))
  const manage = (...args: string[]) =>
    runCommand(KEYSTONE_MANAGE, ['--config-file', inside('keystone.conf'), ...args], { cwd: directory })
  await manage('db_sync')
  await runCommand(PYTHON, [join(import.meta.dirname, 'prepare-database.py'), inside('keystone.db')])
  // Who owns the keys: it asks, and gives them to its own system user otherwise.
  const group = (await runCommand('id', ['-gn'])).trim()
  const owner = ['--keystone-user', userInfo().username, '--keystone-group', group]
  for (const keys of ['fernet_setup', 'credential_setup', 'create_jws_keypair']) await manage(keys, ...owner)
  await copyFile(inside('private.pem'), inside('jws-private/private.pem'))
  await chmod(inside('jws-private/private.pem'), 0o600)
  await copyFile(inside('public.pem'), inside('jws-public/public.pem'))
  const bootstrap = ['--bootstrap-password', setup.adminPassword, '--bootstrap-public-url', setup.url]
  await manage('bootstrap', ...bootstrap, '--bootstrap-region-id', 'RegionOne')
}

function configurationOf({ directory, provider, passwordHashRounds = 4 }: Setup): string {
  return `[database]
connection = sqlite:///${directory}/keystone.db
[identity]
password_hash_rounds = ${passwordHashRounds}
[auth]
# \`openid\` is Keystone's own plugin \`mapped\` under the name of a protocol; \`external\` must be off beside it.
methods = password,token,totp,application_credential,mapped,openid
[federation]
# An assertion is what the proxy of test/support/federation puts into headers, as mod_auth_openidc does.
assertion_prefix = HTTP_OIDC_
remote_id_attribute = HTTP_OIDC_ISS
[token]
provider = ${provider}
[fernet_tokens]
key_repository = ${directory}/fernet
[credential]
key_repository = ${directory}/credential
[jwt_tokens]
jws_public_key_repository = ${directory}/jws-public
jws_private_key_repository = ${directory}/jws-private
`
}
