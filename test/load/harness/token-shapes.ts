import { type Random, randomBytes } from './seeded-random.ts'

/**
 * A text with the shape of a fernet token that Keystone did not issue: version byte, time, and as many random blocks as a
 * project-scoped token has. The webhook must look such a token up.
 */
export function fernetShaped(random: Random): string {
  const bytes = randomBytes(random, 57 + 16 * random.pick([5, 5, 4, 6, 12]))
  bytes[0] = 0x80
  bytes.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000)), 1)
  const text = bytes.toString('base64url')
  return random.chance(0.5) ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** The beginning of every fernet token, with some more of it. */
export const TOKEN_TEXT = /gAAAAA[\w-]{12}/
