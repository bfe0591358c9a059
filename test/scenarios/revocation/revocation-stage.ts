import { inject } from 'vitest'
import { createEmbeddedKeystone } from '../../../src/dev/embedded-keystone/embedded-keystone.ts'
import { createClock, type FrozenClock } from '../../support/clock.ts'
import { type KeystonePeople, openKeystone } from '../../support/keystone-people.ts'
import { createWebhook, KEYSTONE_URL, type Webhook } from '../../support/webhook.ts'
import { type Column, secondsOf } from './documented.ts'
import { createLaggingConfig, type LaggingConfig } from './lagging-config.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What `KEYSTONE_UNDER_TEST` holds (see test/node/contract/target.ts); empty for the embedded Keystone. */
    keystoneUnderTest: string
  }
}

/** Everything of one measurement. Time stands still for the webhook; Keystone has its own. */
interface Stage {
  readonly clock: FrozenClock
  readonly config: LaggingConfig
  /** From now on nobody reaches Keystone. */
  loseKeystone(): void
  /** A new isolate on the same KV, which has loaded nothing. */
  isolate(): Promise<Webhook>
}

/** The Keystone of this run: the real one of `npm run test:keystone`, else an embedded one. */
export async function reachKeystone(provider: 'fernet' | 'jws'): Promise<KeystonePeople> {
  const given = inject('keystoneUnderTest')
  if (given !== '') {
    const { url, adminPassword } = JSON.parse(given)
    return openKeystone({ url, fetch: (request) => fetch(request) }, adminPassword)
  }
  const keystone = await createEmbeddedKeystone({ provider, url: KEYSTONE_URL, now: Date.now })
  return openKeystone({ url: KEYSTONE_URL, fetch: keystone.fetch }, 'secret')
}

/** Which providers `reachKeystone` can give. */
export function providers(): ('fernet' | 'jws')[] {
  const given = inject('keystoneUnderTest')
  return given === '' ? ['fernet', 'jws'] : [JSON.parse(given).provider]
}

/** A webhook in front of that Keystone, with the settings of a column; for the defaults none is set. */
export function createStage(
  { connection }: KeystonePeople,
  column: Column,
  documents: Readonly<Record<string, unknown>>,
): Stage {
  const clock = createClock(Date.now())
  const config = createLaggingConfig(clock.now, secondsOf('propagation', column) * 1000, documents)
  const settings = {
    IDENTITY_TTL_SECONDS: secondsOf('identity', column),
    STALE_IF_ERROR_SECONDS: secondsOf('stale', column),
  }
  let isLost = false
  const keystone = (request: Request): Promise<Response> =>
    isLost ? Promise.reject(new TypeError('no connection')) : connection.fetch(request)
  const vars = {
    KEYSTONE_URL: connection.url,
    CALLERS: undefined,
    ...(column === 'defaults' ? {} : settings),
  }
  return {
    clock,
    config,
    loseKeystone() {
      isLost = true
    },
    isolate: () => createWebhook({ keystone, clock, vars, config: config.namespace, documents: 'as they are' }),
  }
}
