import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { seedDemo } from '../../../../src/dev/embedded-keystone/seed.ts'
import { type ServedKeystone, serveEmbeddedKeystone } from '../../../../src/dev/embedded-keystone/serve.ts'
import { type ClientStage, type FrontEnd, openClientStage, startFrontEnd } from '../../../support/client-stage.ts'

/** A client in a fresh home directory for each test, before one embedded Keystone that counts what it is asked. */
export interface ClientSuite {
  readonly client: ClientStage
  readonly keystone: FrontEnd
  /** Variables of alice, member on demo. */
  readonly alice: Readonly<Record<string, string>>
}

/** Starts it around the tests of a file; usable inside tests only. */
export function useClient(program?: readonly string[]): () => ClientSuite {
  let served: ServedKeystone | undefined
  let suite: ClientSuite | undefined
  let keystone: FrontEnd | undefined
  beforeAll(async () => {
    served = await serveEmbeddedKeystone({ port: 0 })
    await seedDemo({ url: served.url, adminPassword: 'secret', fetch: (request) => fetch(request) })
    keystone = await startFrontEnd(served.url)
  })
  beforeEach(async () => {
    if (keystone === undefined) throw new Error('used before the Keystone was up')
    keystone.answer = undefined
    keystone.requests.length = 0
    keystone.bodies.length = 0
    suite = { client: await openClientStage(program), keystone, alice: variablesOf(keystone.url, 'alice', 'demo') }
  })
  afterEach(() => suite?.client.close())
  afterAll(async () => {
    await keystone?.close()
    await served?.close()
  })
  return () => {
    if (suite === undefined) throw new Error('used outside a test')
    return suite
  }
}

export function variablesOf(url: string, user: string, project: string): Record<string, string> {
  return {
    OS_AUTH_URL: url,
    OS_USERNAME: user,
    OS_PASSWORD: user,
    OS_PROJECT_NAME: project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  }
}
