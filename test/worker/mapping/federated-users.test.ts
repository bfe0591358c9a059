import { describe, expect, it } from 'vitest'
import { ALICE, HOME, OTHER, refusalOf, ruleGroups, userOf } from './mapping-fixtures.ts'

// Keystone keeps (identity provider, protocol, unique id) of a federated user unique, and not the display name.

const FEDERATED = { user: { ...ALICE, name: 'admin' }, identityProvider: 'corp' }

describe('the user name of a federated user', () => {
  it('is name@idp:<identity provider>, which no local user can have', () => {
    expect(userOf({}, FEDERATED).username).toBe('admin@idp:corp')
    expect(userOf({}, { user: { ...ALICE, name: 'admin' } }).username).toBe('admin')
    for (const domain of [HOME, OTHER]) {
      for (const name of ['admin@idp:corp', 'admin@IDP:corp', 'admin＠idp：corp']) {
        expect(refusalOf({}, { user: { ...ALICE, name, domain } })).toEqual({ reason: 'reserved_name' })
      }
    }
  })

  it('is the same in every domain, and differs by identity provider', () => {
    const names = ['corp', 'partner'].flatMap((identityProvider) =>
      [HOME, OTHER].map((domain) => userOf({}, { user: { ...ALICE, domain }, identityProvider }).username),
    )
    expect(names).toEqual(['alice@idp:corp', 'alice@idp:corp', 'alice@idp:partner', 'alice@idp:partner'])
  })

  it('is refused when the id of the provider, or the name, could pass as another one', () => {
    for (const identityProvider of ['corp@default', '@', `x@${'d'.repeat(32)}`]) {
      expect(refusalOf({}, { ...FEDERATED, identityProvider })).toEqual({ reason: 'reserved_name' })
    }
    const user = { ...ALICE, name: 'x@idp:partner' }
    expect(refusalOf({}, { user, identityProvider: 'corp' })).toEqual({ reason: 'reserved_name' })
  })

  it('is the plain name when the document says as-local', () => {
    expect(userOf({ federated: 'as-local' }, FEDERATED).username).toBe('admin')
    expect(userOf({ federated: 'as-local' }, { ...FEDERATED, user: { ...ALICE, domain: OTHER } }).username).toBe(
      `alice@${OTHER.id}`,
    )
  })

  it('stands in templates too', () => {
    expect(ruleGroups([{ groups: ['of:{user.name}'] }], FEDERATED)).toEqual(['of:admin@idp:corp'])
    expect(userOf({ username: 'ks:{user.name}' }, FEDERATED).username).toBe('ks:admin@idp:corp')
  })
})

describe('a name in a document', () => {
  it('gives no group to a federated user who has the name of a local one', () => {
    const rules = [{ user: 'admin', groups: ['platform-admins'] }]
    expect(ruleGroups(rules, { user: { ...ALICE, name: 'admin' } })).toEqual(['platform-admins'])
    expect(ruleGroups(rules, FEDERATED)).toEqual([])
    expect(ruleGroups([{ user: ALICE.id, groups: ['platform-admins'] }], FEDERATED)).toEqual(['platform-admins'])
    expect(ruleGroups(rules, FEDERATED, { federated: 'as-local' })).toEqual(['platform-admins'])
  })

  it('denies a federated user as well as a local one', () => {
    const document = { deny: { users: ['admin'] } }
    expect(refusalOf(document, FEDERATED)).toEqual({ reason: 'denied', by: 'user' })
  })
})
