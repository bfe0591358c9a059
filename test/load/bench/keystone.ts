import { seedDemo } from '../../../src/dev/embedded-keystone/seed.ts'
import { serveEmbeddedKeystone } from '../../../src/dev/embedded-keystone/serve.ts'
import type { Stage } from './stage.ts'

/** Serves the embedded Keystone with the demo users; returns the root of its Identity API. */
export async function serveKeystone(stage: Stage): Promise<string> {
  const keystone = await serveEmbeddedKeystone({ port: 0, provider: 'fernet' })
  stage.defer(() => keystone.close())
  await seedDemo({ url: keystone.url, adminPassword: 'secret', fetch })
  return keystone.url
}

/** A token of alice's, scoped to her project. */
export async function issueToken(keystoneUrl: string): Promise<string> {
  const domain = { id: 'default' }
  const auth = {
    identity: { methods: ['password'], password: { user: { name: 'alice', domain, password: 'alice' } } },
    scope: { project: { name: 'demo', domain } },
  }
  const response = await fetch(`${keystoneUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
  const token = response.headers.get('X-Subject-Token')
  if (token === null) throw new Error(`Keystone issued no token: ${response.status} ${await response.text()}`)
  return token
}
