import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { type KeystonePeople, openKeystone } from '../../support/keystone-people.ts'
import { candidates, type Target } from './target.ts'

export { type Person, uniqueName } from '../../support/keystone-people.ts'

/** What tests do with the Keystone at hand. */
export interface Keystone extends KeystonePeople {
  target: Target
}

/** A string of 32 hex digits, like an id, that nothing has as its id. */
export function idLikeName(): string {
  return randomBytes(16).toString('hex')
}

/** A suite that runs against each Keystone there is. `keystone` is usable inside tests only, `provider` everywhere. */
export function describeKeystone(
  title: string,
  suite: (keystone: () => Keystone, provider: 'fernet' | 'jws') => void,
): void {
  describe.each(candidates())(`${title} ($name)`, (candidate) => {
    let keystone: Keystone | undefined
    beforeAll(async () => {
      const target = await candidate.start()
      keystone = { target, ...(await openKeystone(target.connection, target.adminPassword)) }
    })
    afterAll(() => keystone?.target.close())
    suite(() => {
      if (keystone === undefined) throw new Error('used before the Keystone was up')
      return keystone
    }, candidate.provider)
  })
}
