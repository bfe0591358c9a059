import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Connection } from '../../../src/dev/embedded-keystone/api-call.ts'
import { logIn } from '../../../src/dev/embedded-keystone/log-in.ts'
import { serveEmbeddedKeystone } from '../../../src/dev/embedded-keystone/serve.ts'
import { runCommand } from '../../support/real-keystone/command.ts'
import { PYTHON } from '../../support/real-keystone/installation.ts'

/** The Keystone that a suite runs against. */
export interface Target {
  connection: Connection
  adminPassword: string
  provider: 'fernet' | 'jws'
  /** The public key of the jws provider, in PEM, where it can be had. */
  jwsPublicKeyPem: string | undefined
  /** A well-made token of that user for that project (ids) that expired. */
  expiredToken(user: { id: string; password: string }, project: string): Promise<string>
  close(): Promise<void>
}

/** A target that is not there yet. */
interface Candidate {
  name: string
  provider: 'fernet' | 'jws'
  start(): Promise<Target>
}

const UnderTest = v.object({
  url: v.string(),
  adminPassword: v.string(),
  provider: v.picklist(['fernet', 'jws']),
  /** With its keystone.conf and keys. */
  directory: v.string(),
})

const connectionTo = (url: string): Connection => ({ url, fetch: (request) => fetch(request) })

/**
 * What to test: the Keystone that `KEYSTONE_UNDER_TEST` describes (JSON: url, adminPassword, provider, directory), else the
 * embedded one with each provider.
 */
export function candidates(): Candidate[] {
  const given = process.env.KEYSTONE_UNDER_TEST
  if (given === undefined) {
    return (['fernet', 'jws'] as const).map((provider) => ({
      name: `embedded Keystone, ${provider}`,
      provider,
      start: () => startEmbedded(provider),
    }))
  }
  const real = v.parse(UnderTest, JSON.parse(given))
  return [{ name: `real Keystone, ${real.provider}`, provider: real.provider, start: () => reachReal(real) }]
}

async function startEmbedded(provider: 'fernet' | 'jws'): Promise<Target> {
  let offsetMs = 0
  const keystone = await serveEmbeddedKeystone({ port: 0, provider, now: () => Date.now() + offsetMs })
  const connection = connectionTo(keystone.url)
  return {
    connection,
    adminPassword: 'secret',
    provider,
    jwsPublicKeyPem: keystone.jwsPublicKeyPem,
    async expiredToken(user, project) {
      // Issued two hours ago, with a lifetime of one.
      offsetMs = -2 * 3600 * 1000
      try {
        return (await logIn(connection, { user: user.id, password: user.password, scope: { project } })).token
      } finally {
        offsetMs = 0
      }
    },
    close: keystone.close,
  }
}

async function reachReal(real: v.InferOutput<typeof UnderTest>): Promise<Target> {
  const publicKey = join(real.directory, 'jws-public/public.pem')
  return {
    connection: connectionTo(real.url),
    adminPassword: real.adminPassword,
    provider: real.provider,
    jwsPublicKeyPem: real.provider === 'jws' ? await readFile(publicKey, 'utf8') : undefined,
    async expiredToken(user, project) {
      const expiresAt = new Date(Date.now() - 3600 * 1000).toISOString().replace(/\.\d+Z$/, '.000000Z')
      const script = join(import.meta.dirname, '../../support/real-keystone/mint-token.py')
      const input = JSON.stringify({ user: user.id, project, expires_at: expiresAt })
      return (await runCommand(PYTHON, [script, join(real.directory, 'keystone.conf')], { input })).trim()
    },
    close: async () => {},
  }
}
