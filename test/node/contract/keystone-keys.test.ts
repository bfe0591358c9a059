import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KeystoneGate, openKeystoneGate } from '../system/keystone-gate.ts'
import { type LocalWebhook, startLocalWebhook } from '../system/local-webhook.ts'
import { describeKeystone } from './contract-keystone.ts'

// The deployed bundle in workerd, in front of each Keystone, with that Keystone's own public key in force.

describeKeystone('the document keystone-keys', (keystone, provider) => {
  let gate: KeystoneGate
  let webhook: LocalWebhook
  beforeAll(async () => {
    gate = await openKeystoneGate(keystone().connection.url)
    webhook = await startLocalWebhook(gate.url)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const stranger = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    await webhook.putDocument(
      'keystone-keys',
      `# another\n${stranger}# ours\n${keystone().target.jwsPublicKeyPem ?? ''}`,
    )
  })
  afterAll(async () => {
    await webhook?.close()
    await gate?.close()
  })

  test(`lets ${provider} tokens of this Keystone in, with two requests`, async () => {
    const { person, token } = await keystone().newTenant()
    gate.requests.length = 0
    expect((await webhook.review(token)).json.status).toMatchObject({
      authenticated: true,
      user: { username: person.name, uid: person.id },
    })
    expect(gate.requests.toSorted()).toEqual(['GET /v3/auth/tokens?nocatalog', `GET /v3/users/${person.id}/groups`])
  })

  if (provider === 'fernet') return

  test('costs no request for a token whose signature or end does not hold', async () => {
    const { person, project, token } = await keystone().newTenant()
    const expired = await keystone().target.expiredToken(person, project.id)
    const signatureAt = token.lastIndexOf('.') + 1
    const flipped =
      token.slice(0, signatureAt) + (token[signatureAt] === 'A' ? 'B' : 'A') + token.slice(signatureAt + 1)
    gate.requests.length = 0
    for (const [refused, reason] of [
      [flipped, 'bad_signature'],
      [expired, 'expired'],
    ] as const) {
      expect((await webhook.review(refused)).json.status).toEqual({ authenticated: false })
      expect(JSON.parse(webhook.log.at(-1) ?? '')).toMatchObject({ event: 'review', reason, keystoneCalls: 0 })
    }
    expect(gate.requests).toEqual([])
  })
})
