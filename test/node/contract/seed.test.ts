import { expect, test } from 'vitest'
import { seedDemo } from '../../../src/dev/embedded-keystone/seed.ts'
import { describeKeystone } from './contract-keystone.ts'
import { tokenOf } from './validation.ts'

describeKeystone('the demo users', (keystone) => {
  test('are the same however often they are seeded', async () => {
    const { admin, connection, target, tryLogIn } = keystone()
    for (let times = 0; times < 2; times++) await seedDemo({ ...connection, adminPassword: target.adminPassword })
    const other = (await admin.find('domains', 'other'))?.id ?? ''
    const ids: unknown[] = []
    for (const [userName, domain, projectName] of [
      ['alice', 'default', 'demo'],
      ['bob', 'default', 'demo'],
      ['alice', other, 'other-demo'],
    ] as const) {
      const project = (await admin.find('projects', projectName, domain))?.id ?? ''
      const token = tokenOf(await tryLogIn({ userName, domain, password: userName, scope: { project } }))
      expect(token).toMatchObject({ user: { name: userName, domain: { id: domain } }, project: { name: projectName } })
      ids.push((await admin.find('users', userName, domain))?.id)
    }
    expect(new Set(ids).size).toBe(3)
  })
})
