import { describe, expect, it } from 'vitest'
import { parseAuthenticators } from '../../../src/mapping/authenticators.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const TOKEN = { token: DIGEST, username: 'ci-bot' }

function faultsOf(document: unknown): Record<string, string> {
  const parsed = parseAuthenticators(document, 'd')
  return parsed.ok ? {} : Object.fromEntries(parsed.error.map(({ path, message }) => [path, message]))
}

describe('parseAuthenticators()', () => {
  it('accepts the document of the contract, an empty one and one with a schema', () => {
    const document = {
      $schema: './schemas/authenticators.schema.json',
      static: [{ ...TOKEN, uid: 'ci-bot', groups: ['ci'], expires: '2027-01-01T00:00:00Z' }],
      basic: { username: 'basic:{user}', groups: ['legacy'], users: { user1: ['developers'] } },
      'system-groups': [],
    }
    expect(faultsOf(document)).toEqual({})
    expect(faultsOf({})).toEqual({})
  })

  it('refuses a token in the place of its digest, and does not repeat it', () => {
    for (const token of ['s3cret-token', 'a'.repeat(64), DIGEST.toUpperCase(), `sha256:${'a'.repeat(63)}`, 7]) {
      const faults = faultsOf({ static: [{ ...TOKEN, token }] })
      expect(Object.keys(faults)).toEqual(['static[0].token'])
      expect(JSON.stringify(faults)).not.toContain('s3cret')
    }
  })

  it.each([
    ['tomorrow', { static: [{ ...TOKEN, expires: 'tomorrow' }] }, 'static[0].expires'],
    ['a day without a time', { static: [{ ...TOKEN, expires: '2027-01-01' }] }, 'static[0].expires'],
    ['30 February', { static: [{ ...TOKEN, expires: '2027-02-30T00:00:00Z' }] }, 'static[0].expires'],
    ['a 13th month', { static: [{ ...TOKEN, expires: '2027-13-01T00:00:00Z' }] }, 'static[0].expires'],
    ['a token that is there twice', { static: [TOKEN, { ...TOKEN, username: 'other' }] }, 'static[1].token'],
    ['no user name', { static: [{ token: DIGEST }] }, 'static[0].username'],
    ['a user name of the system', { static: [{ ...TOKEN, username: 'system:admin' }] }, 'static[0].username'],
    ['a user name with a zero-width space', { static: [{ ...TOKEN, username: 'ci\u200bbot' }] }, 'static[0].username'],
    ['a system group', { static: [{ ...TOKEN, groups: ['system:masters'] }] }, 'static[0].groups[0]'],
    ['a system group of all', { basic: { groups: ['ＳＹＳＴＥＭ：masters'] } }, 'basic.groups[0]'],
    ['a system group of one', { basic: { users: { user1: ['system:masters'] } } }, 'basic.users.user1[0]'],
    ['a name that begins with a placeholder', { basic: { username: '{user}' } }, 'basic.username'],
    ['a name without a placeholder', { basic: { username: 'basic' } }, 'basic.username'],
    ['a name with two placeholders', { basic: { username: 'b:{user}:{user}' } }, 'basic.username'],
    ['another placeholder', { basic: { username: 'b:{user}{group}' } }, 'basic.username'],
    ['an unknown key', { statics: [] }, 'statics'],
    ['an unknown key of an entry', { static: [{ ...TOKEN, group: ['x'] }] }, 'static[0].group'],
    ['a list', [], ''],
  ])('refuses %s', (_what, document, path) => {
    expect(Object.keys(faultsOf(document))).toEqual([path])
  })

  it('takes a system group that system-groups lists', () => {
    const document = { static: [{ ...TOKEN, groups: ['system:masters'] }], 'system-groups': ['system:masters'] }
    expect(faultsOf(document)).toEqual({})
  })

  it('warns of an expired token', () => {
    const parsed = parseAuthenticators(
      {
        static: [
          { ...TOKEN, expires: '2026-01-01T00:00:00Z' },
          { ...TOKEN, token: `sha256:${'b'.repeat(64)}` },
        ],
      },
      'd',
    )
    expect(parsed.ok && parsed.value.warnings(Date.UTC(2026, 0, 1))).toEqual([
      { path: 'static[0].expires', message: 'is past: the token is refused' },
    ])
    expect(parsed.ok && parsed.value.warnings(Date.UTC(2025, 11, 31))).toEqual([])
  })

  it('names a user of HTTP Basic, and nobody whose name could pass as another one', () => {
    const parsed = parseAuthenticators(
      { basic: { username: 'b:{user}', groups: ['legacy'], users: { user1: ['dev', 'legacy'] } } },
      'd',
    )
    if (!parsed.ok) throw new Error('faulty')
    expect(parsed.value.basicUser('user1')).toEqual({
      username: 'b:user1',
      uid: 'b:user1',
      groups: ['dev', 'legacy'],
      extra: { 'keystone-edge-auth/authenticator': ['basic'] },
    })
    expect(parsed.value.basicUser('$&')?.username).toBe('b:$&')
    expect(parsed.value.basicUser('toString')?.groups).toEqual(['legacy'])
    const tricky = parseAuthenticators(
      { static: [{ ...TOKEN, username: 'legacy-ci' }], basic: { username: 'legacy-{user}' } },
      'd',
    )
    expect(tricky.ok && tricky.value.basicUser('ci')).toBeUndefined()
    const system = parseAuthenticators({ basic: { username: 's{user}:x' } }, 'd')
    expect(system.ok && system.value.basicUser('ystem')).toBeUndefined()
    for (const name of ['', 'system:admin', 'ＳＹＳＴＥＭ：admin', 'a\u202eb', 'a\nb']) {
      expect(parsed.value.basicUser(name)).toBeUndefined()
    }
  })
})
