import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { START_MS } from './clock.ts'
import { ALICE_ID } from './keystone-answers.ts'

/** A key of a Keystone with the jws provider, and what it signs. */
interface JwsKey {
  readonly pem: string
  readonly privateKey: CryptoKey
  /** A token of alice that is valid for an hour, unless claims or header say otherwise. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

export async function createJwsKey(alg = 'ES256'): Promise<JwsKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return {
    pem: await exportSPKI(publicKey),
    privateKey,
    sign(claims = {}, header = {}) {
      const iat = Math.floor(START_MS / 1000)
      const payload = { sub: ALICE_ID, iat, exp: iat + 3600, openstack_methods: ['password'], ...claims }
      return new SignJWT(payload).setProtectedHeader({ alg, typ: 'JWT', ...header }).sign(privateKey)
    },
  }
}
