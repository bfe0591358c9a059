import { describe, expect, it } from 'vitest'
import type { ValidatedIdentity } from '../../../src/cache/identity-store.ts'
import { TokenMemory } from '../../../src/cache/token-memory.ts'
import type { Identity } from '../../../src/keystone/identity.ts'
import { concealToken } from '../../../src/lib/secret.ts'

const IDENTITY: Identity = {
  user: { id: 'u', name: 'alice', domain: { id: 'default', name: 'Default' } },
  scope: { kind: 'unscoped' },
  roles: [],
  methods: ['password'],
  auditIds: ['a'],
  groups: 'not_read',
  expiresAtMs: 1_000,
}
const VALIDATED: ValidatedIdentity = { identity: IDENTITY, validatedAtMs: 0 }
const tokens = Array.from({ length: 20 }, (_, index) => concealToken(`token-${index}`))

describe('what is made of an identity', () => {
  it('is kept by mapping and by form', () => {
    const memory = new TokenMemory<string>()
    const known = memory.remember(concealToken('t'), 'f', VALIDATED)
    for (const mapping of ['m1', 'm2']) {
      for (const form of ['v1', 'v1beta1']) known.keepAnswer(mapping, form, `${mapping} ${form}`, 10)
    }
    expect([known.answer('m1', 'v1'), known.answer('m1', 'v1beta1')]).toEqual(['m1 v1', 'm1 v1beta1'])
    expect([known.answer('m2', 'v1'), known.answer('m3', 'v1'), known.answer('m1', 'v2')]).toEqual([
      'm2 v1',
      undefined,
      undefined,
    ])
  })

  it('goes with the identity: a later one is mapped anew', () => {
    const memory = new TokenMemory<string>()
    memory.remember(concealToken('t'), 'f', VALIDATED).keepAnswer('m', 'v1', 'old', 10)
    expect(memory.remember(concealToken('t'), 'f', VALIDATED).answer('m', 'v1')).toBeUndefined()
  })

  it('counts against the memory of all, in every form', () => {
    const memory = new TokenMemory<string>()
    for (const token of tokens) {
      const known = memory.remember(token, 'f', VALIDATED)
      known.keepAnswer('m', 'v1', 'large', 1_000_000)
      known.keepAnswer('m', 'v1beta1', 'large', 1_000_000)
      memory.weighAgain(token, known)
    }
    const left = tokens.filter((token) => memory.known(token) !== undefined)
    // 24 million characters hold eleven of two million each and a little more.
    expect(left).toEqual(tokens.slice(-11))
  })

  it('is not kept where it is larger than all that one identity may have', () => {
    const memory = new TokenMemory<string>()
    const known = memory.remember(concealToken('t'), 'f', VALIDATED)
    known.keepAnswer('m', 'v1', 'huge', 5_000_000)
    expect(known.answer('m', 'v1')).toBeUndefined()
  })
})
